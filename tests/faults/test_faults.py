"""After a fault at any call of any phase, lifecycle function or changing route all invariants hold: here a short fixed
subset, all of them with `make faults`."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Any

import pytest
from chalicelib.domain.aws.functions import Alias
from chalicelib.domain.model import DeploymentStatus
from chalicelib.engine import registry

from tests.fakes import FakeAws
from tests.faults import invariants
from tests.faults.deliver import errand_outcomes
from tests.faults.drive import Ended, drive
from tests.faults.errands import ERRANDS
from tests.faults.injection import FAULTS, Injector, Killed
from tests.faults.injection import struck as struck_ports
from tests.faults.run import outcomes, strike, without_fault
from tests.faults.scenes import SCENES

APP = Path(__file__).resolve().parents[2] / "controlplane" / "app.py"
_EVERY = {"preflight": 89, "shift_traffic": 37, "check_drift, heal": 43, "validate_errors": 77}
_OTHERS = 23
# Struck at every call on a control plane of their own: tests/unit/upgrade/test_whole_upgrade.py.
_BESIDE = {"Upgrade"}


@pytest.mark.parametrize("scene", SCENES)
def test_every_invariant_holds_after_a_fault(scene: str) -> None:
    struck = list(outcomes((scene,), _EVERY.get(scene, _OTHERS)))
    assert struck
    assert [each for each in struck if each.failures] == []


@pytest.mark.parametrize("errand", ERRANDS)
def test_what_is_delivered_again_ends_as_without_the_fault(errand: str) -> None:
    struck = list(errand_outcomes(errand, 11))
    assert struck
    assert [each for each in struck if each.failures] == []


def test_every_lambda_has_a_row_in_the_matrix() -> None:
    phases = {scene.phase for scene in SCENES.values()}
    assert phases == {*registry.PHASES, *registry.STEPS}
    lambdas = set(re.findall(r'lambda_function\(name="(\w+)"', APP.read_text()))
    errands = {name.partition(",")[0] for name in ERRANDS}
    assert lambdas - {registry.pascal(phase) for phase in phases} - errands - _BESIDE == set()


def test_a_fault_fires_as_often_as_it_should() -> None:
    assert strike("release_code", "throttled", 3).fired == 1
    assert strike("release_code", "503 for two minutes", 0).fired == FAULTS["503 for two minutes"].repeats


def test_an_error_that_only_a_person_can_mend_ends_the_phase_with_a_remedy() -> None:
    scene = SCENES["release_code"]
    fake = scene.world()
    ended = drive(scene, fake, scene.ask(fake), Injector(FAULTS["access denied"], 0))
    assert ended.error is not None
    deployment = fake.records.deployment("d-new")
    assert (deployment.status.value, bool((deployment.error or {}).get("remedy"))) == ("FAILED", True)
    assert fake.records.environment("dev").lock is None


def test_a_killed_process_makes_no_call_more_and_the_next_one_does() -> None:
    outcome = strike("load_test", "killed after", 20)
    assert (outcome.fired, outcome.failures) == (1, ())
    injector = Injector(FAULTS["killed before"], 0)
    aws = struck_ports(SCENES["bake"].world(), injector)
    for _ in range(2):
        with pytest.raises(Killed):
            aws.records.environments()
    assert injector.fired == 1


def test_a_stale_read_answers_as_before_the_last_write() -> None:
    fake = SCENES["release_code"].world()
    function, injector = next(iter(fake.functions.latest)), Injector(FAULTS["stale read"], 2)
    aws = struck_ports(fake, injector)
    before = aws.functions.aliases(function)["candidate"].version
    aws.functions.point(function, Alias("candidate", "9"))
    assert aws.functions.aliases(function)["candidate"].version == before
    assert aws.functions.aliases(function)["candidate"].version == "9"
    assert injector.fired == 1


def test_the_invariants_see_a_lock_that_is_left_and_an_end_without_a_remedy() -> None:
    scene = SCENES["bake"]
    fake = scene.world()
    drive(scene, fake, scene.ask(fake), Injector(FAULTS["access denied"], 0))
    ended = Ended(ValueError("x"))
    assert not list(invariants.unrecorded(fake, ended, (), "d-new"))
    stands = fake.records.started["d-new"]
    fake.records.attributes["dev"]["lock"] = {"deployment_id": "d-new", "execution_arn": "arn", "lease_until": 0}
    fake.records.started["d-new"] = dataclasses.replace(stands, error={"code": "X", "message": "m"})
    assert len(list(invariants.unrecorded(fake, ended, (), "d-new"))) == 2
    fake.records.started["d-new"] = dataclasses.replace(stands, status=DeploymentStatus.RUNNING)
    assert list(invariants.unrecorded(fake, ended, (), "d-new"))


def state(**other: Any) -> dict[str, Any]:
    fake = SCENES["release_code"].world()
    return {**invariants.state_of(fake), **other}


def test_the_invariants_see_an_orphan_and_a_passing_fault_that_ended_a_phase() -> None:
    """Planted: what the harness must not let pass."""
    whole = state()
    orphan = state(queues=["left"])
    assert list(invariants.broken(whole, orphan, whole, Ended(), FAULTS["throttled"]))
    assert list(invariants.unhealed(orphan, whole, Ended()))
    assert list(invariants.broken(whole, whole, whole, Ended(ValueError("x")), FAULTS["throttled"]))
    assert list(invariants.broken(whole, whole, whole, Ended(None, [ValueError("x")]), FAULTS["access denied"]))
    assert not list(invariants.broken(whole, whole, whole, Ended(), FAULTS["throttled"]))


def test_the_invariants_see_users_on_a_version_that_nobody_meant() -> None:
    _, before, whole = without_fault("shift_traffic")
    lost: FakeAws = SCENES["shift_traffic"].world()
    for aliases in lost.functions.pointed.values():
        aliases["live"] = dataclasses.replace(aliases["live"], version="9")
    assert list(invariants.broken(before, invariants.state_of(lost), whole, Ended(), FAULTS["killed after"]))
