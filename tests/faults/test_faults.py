"""After a fault at any call of any phase all invariants hold: here each seventh call, all with `make faults`."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from tests.fakes import FakeAws
from tests.faults import invariants
from tests.faults.drive import Ended, drive
from tests.faults.injection import FAULTS, Injector
from tests.faults.run import outcomes, strike, without_fault
from tests.faults.scenes import SCENES

_EVERY = {"preflight": 40}  # it reads the policy of each role
_OTHERS = 7


@pytest.mark.parametrize("scene", SCENES)
def test_every_invariant_holds_after_a_fault(scene: str) -> None:
    struck = list(outcomes((scene,), _EVERY.get(scene, _OTHERS)))
    assert struck
    assert [each for each in struck if each.failures] == []


def test_a_fault_fires_as_often_as_it_should() -> None:
    assert strike("release_code", "throttled", 3).fired == 1
    assert strike("release_code", "503 for two minutes", 0).fired == FAULTS["503 for two minutes"].repeats


def test_an_error_that_only_a_person_can_mend_ends_the_phase_with_a_remedy() -> None:
    scene = SCENES["release_code"]
    fake = scene.world()
    ended = drive(scene, fake, scene.ask(fake), Injector(FAULTS["access denied"], 0))
    assert ended.error is not None
    assert getattr(ended.error, "remedy", "")


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
    assert list(invariants.broken(whole, whole, whole, Ended(ValueError("x")), FAULTS["access denied"]))
    assert not list(invariants.broken(whole, whole, whole, Ended(), FAULTS["throttled"]))


def test_the_invariants_see_users_on_a_version_that_nobody_meant() -> None:
    _, before, whole = without_fault("shift_traffic")
    lost: FakeAws = SCENES["shift_traffic"].world()
    for aliases in lost.functions.pointed.values():
        aliases["live"] = dataclasses.replace(aliases["live"], version="9")
    assert list(invariants.broken(before, invariants.state_of(lost), whole, Ended(), FAULTS["killed after"]))
