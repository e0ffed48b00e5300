"""An upgrade step by step in memory: it ends on the old or the new release, wherever it is killed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from chalicelib.domain.aws.table_items import FormatState
from chalicelib.domain.codec import encode
from chalicelib.domain.errors import PhaseFailed
from chalicelib.domain.model import Action
from chalicelib.domain.options import Options
from chalicelib.engine.phase import Result, Results, Status
from chalicelib.upgrade import task
from chalicelib.upgrade.evidence import PromoteUpgradeEvidence, RevertUpgradeEvidence, TestUpgradeEvidence

from tests.fakes.own_control_plane import NAMES, OwnControlPlane
from tests.fakes.requests import NOW, next_call, request

STEPS = ("plan_upgrade", "stage_upgrade", "test_upgrade", "promote_upgrade", "verify_upgrade")
REVERT = "revert_upgrade"


class Killed(Exception):
    """The execution was stopped after this many calls."""


class Upgrade:
    """The steps, called as the state machine calls them. dies_at: the call after which nothing comes any more; loses:
    the answer of that call was not recorded."""

    def __init__(self, plane: OwnControlPlane, key: str, dies_at: int = 0, *, loses: bool = False, force: bool = False):
        self.plane, self.dies_at, self.loses, self.calls = plane, dies_at, loses, 0
        options = Options(bundle=key, force=force)
        self.request = request(deployment_id="d-1", action=Action.UPGRADE, options=options)
        self.ended: dict[str, Result[Any]] = {}

    def run(self, name: str) -> Result[Any]:
        """One step to its end."""
        call = replace(self.request, cursor={}, now=NOW, started_at=NOW)
        while True:
            result = task.load(name).run(call, self.plane.as_aws())
            self.calls += 1
            if self.calls == self.dies_at and self.loses:
                raise Killed
            if result.status is not Status.IN_PROGRESS:
                self._record(name, result)
            if self.calls == self.dies_at:
                raise Killed
            if result.status is not Status.IN_PROGRESS:
                return result
            call = next_call(call, result, after_s=1)
            assert self.calls < 200, f"{name} never ends: {result.summary}"

    def _record(self, name: str, result: Result[Any]) -> None:
        self.ended[name] = result
        recorded = {**self.request.results.recorded, name: encode(result.evidence) if result.evidence else {}}
        self.request = replace(self.request, results=Results(recorded))

    def forward(self) -> str:
        """ "" when all steps ended well, else the code of the error."""
        try:
            for name in STEPS:
                if self.run(name).next == "record_outcome":
                    return ""
        except PhaseFailed as failed:
            return failed.code
        return ""

    def back(self) -> Result[Any]:
        self.dies_at = 0
        return self.run(REVERT)


@pytest.fixture
def plane() -> OwnControlPlane:
    result = OwnControlPlane()
    result.install("old")
    return result


def test_a_release_is_staged_tested_promoted_and_verified(plane: OwnControlPlane) -> None:
    upgrade = Upgrade(plane, plane.upload("new"))
    assert upgrade.forward() == ""
    assert (plane.serving, plane.parameters["Stage"]) == ("r-new", "live")
    assert plane.began == [f"self-test-{plane.parameters['Publication']}"]
    assert not any(name.endswith("Candidate") for name in plane.body["Resources"])
    machine = plane.body["Resources"]["StateMachine"]["Properties"]["DefinitionSubstitutions"]
    assert machine["LoadTestArn"] == {"Ref": f"LoadTestVersion{plane.parameters['Publication']}"}


def test_while_it_is_tested_nobody_meets_the_candidate(plane: OwnControlPlane) -> None:
    before = plane.body["Resources"]["StateMachine"]
    upgrade = Upgrade(plane, plane.upload("new"))
    for name in STEPS[:3]:
        upgrade.run(name)
        assert plane.serving == "r-old"
        assert plane.body["Resources"]["StateMachine"] == before
    assert upgrade.ended["test_upgrade"].evidence == TestUpgradeEvidence(NAMES)
    assert plane.published["Sweep"][plane.pointed["Sweep"]["candidate"]]["RELEASE"] == "r-new"


def test_the_same_release_again_changes_nothing(plane: OwnControlPlane) -> None:
    key = plane.upload("old", version="1.0.0")
    upgrade = Upgrade(plane, key)
    assert upgrade.forward() == ""
    assert list(upgrade.ended) == ["plan_upgrade"]
    assert not plane.sets


@pytest.mark.parametrize("function", NAMES)
def test_one_function_that_does_not_start_stops_the_upgrade_before_its_promotion(
    plane: OwnControlPlane, function: str
) -> None:
    plane.breaks = {function}
    upgrade = Upgrade(plane, plane.upload("new"))
    assert upgrade.forward() == "CandidateBroken"
    assert upgrade.back().evidence == RevertUpgradeEvidence("UPDATE_COMPLETE", reverted=True)
    assert (plane.serving, plane.parameters["Release"]) == ("r-old", "r-old")


@pytest.mark.parametrize(("purpose", "ends"), [("stage", "StackFailed"), ("promote", "StackFailed")])
def test_a_change_that_cloudformation_rolls_back_ends_on_the_old_release(
    plane: OwnControlPlane, purpose: str, ends: str
) -> None:
    plane.fails = {purpose}
    upgrade = Upgrade(plane, plane.upload("new"))
    assert upgrade.forward() == ends
    upgrade.back()
    assert (plane.serving, plane.parameters["Stage"]) == ("r-old", "live")


def test_a_release_that_does_not_serve_after_its_promotion_goes_back(plane: OwnControlPlane) -> None:
    plane.serves = False
    upgrade = Upgrade(plane, plane.upload("new"))
    assert upgrade.forward() == "NotServing"
    assert plane.serving == "r-new"
    upgrade.back()
    assert (plane.serving, plane.parameters["Release"]) == ("r-old", "r-old")


def calls_of_a_whole_upgrade() -> int:
    plane = OwnControlPlane()
    plane.install("old")
    upgrade = Upgrade(plane, plane.upload("new"))
    assert upgrade.forward() == ""
    return upgrade.calls


def deaths() -> Iterator[tuple[int, bool]]:
    for call in range(1, calls_of_a_whole_upgrade() + 1):
        yield from ((call, False), (call, True))


@pytest.mark.parametrize(("call", "loses"), list(deaths()))
def test_killed_after_any_call_it_ends_on_the_old_or_the_new_release_and_the_next_upgrade_works(
    plane: OwnControlPlane, call: int, loses: bool
) -> None:
    upgrade = Upgrade(plane, plane.upload("new"), call, loses=loses)
    with pytest.raises(Killed):
        upgrade.forward()
    kept = "verify_upgrade" in upgrade.ended
    result = upgrade.back()
    assert (result.next == "record_outcome") is kept
    assert plane.serving == ("r-new" if kept else "r-old")
    assert plane.parameters["Stage"] == "live"
    following = Upgrade(plane, plane.upload("newer", version="1.2.0"))
    following.request = replace(following.request, deployment_id="d-2")
    assert following.forward() == ""
    assert plane.serving == "r-newer"


@pytest.mark.parametrize("call", range(1, 8))
def test_a_way_back_that_dies_is_gone_again(plane: OwnControlPlane, call: int) -> None:
    plane.serves = False
    upgrade = Upgrade(plane, plane.upload("new"))
    upgrade.forward()
    upgrade.calls, upgrade.dies_at, upgrade.loses = 0, call, True
    try:
        upgrade.run(REVERT)
    except Killed:
        upgrade.back()
    assert plane.serving == "r-old"


def refusal(plane: OwnControlPlane, key: str, **options: bool) -> str:
    return Upgrade(plane, key, **options).forward()


def test_an_older_release_needs_consent(plane: OwnControlPlane) -> None:
    key = plane.upload("older", version="0.9.0")
    assert refusal(plane, key) == "OlderRelease"
    assert refusal(plane, key, force=True) == ""
    assert plane.serving == "r-older"


@pytest.mark.parametrize("what", ["template", "code", "manifest"])
def test_what_is_not_as_its_digest_says_is_refused_before_anything_changes(plane: OwnControlPlane, what: str) -> None:
    key = plane.upload("new")
    damaged = {"template": "controlplane/template-new.json", "code": "controlplane/new.zip", "manifest": key}[what]
    plane.artifacts.objects[damaged] += b" "
    assert refusal(plane, key) == "ReleaseDamaged"
    del plane.artifacts.objects[damaged]
    assert refusal(plane, key) == "ReleaseDamaged"
    assert plane.serving == "r-old"
    assert not plane.sets


def test_a_release_of_a_later_schema_is_refused_in_words(plane: OwnControlPlane) -> None:
    assert refusal(plane, plane.upload("new", schema=2)) == "ReleaseTooNew"


@pytest.mark.parametrize("logical_id", ["Boundary", "UpgradeRole"])
def test_what_gives_the_upgrade_its_rights_is_a_persons_to_change(plane: OwnControlPlane, logical_id: str) -> None:
    def wider(template: Any) -> None:
        kind = "AWS::IAM::ManagedPolicy" if logical_id == "Boundary" else "AWS::IAM::Role"
        template["Resources"][logical_id] = {"Type": kind, "Properties": {"Policies": []}}

    assert refusal(plane, plane.upload("new", change=wider)) == "NeedsAPerson"


def test_code_that_somebody_changes_during_the_upgrade_is_noticed(plane: OwnControlPlane) -> None:
    def other(template: Any) -> None:
        uri = template["Resources"]["Sweep"]["Properties"]["CodeUri"]
        template["Resources"]["Sweep"]["Properties"]["CodeUri"] = uri.replace("new", "evil")

    plane.artifacts.objects["controlplane/evil.zip"] = b"zip of evil"
    key = plane.upload("new", change=other, code={"controlplane/new.zip": "0" * 64, "controlplane/evil.zip": "0" * 64})
    assert refusal(plane, key) == "ReleaseDamaged"


def test_a_downgrade_gives_the_table_the_older_format_before_the_older_release_serves(plane: OwnControlPlane) -> None:
    record = {"pk": {"S": "DEPLOYMENT#d-9"}, "sk": {"S": "META"}}
    place = {"listed": {"S": "ENVIRONMENT#a"}, "listed_all": {"S": "ALL"}, "at": {"S": "t"}}
    plane.items = [record, {**record, "sk": {"S": "LISTED"}, **place}]
    upgrade = Upgrade(plane, plane.upload("older", version="0.9.0", table_format=1), force=True)
    for name in STEPS[:3]:
        upgrade.run(name)
        assert plane.state == FormatState(2)
    upgrade.run("promote_upgrade")
    assert (plane.state, plane.serving) == (FormatState(1), "r-older")
    assert upgrade.ended["promote_upgrade"].evidence == PromoteUpgradeEvidence("UPDATE_COMPLETE", 1)
    (item,) = plane.items
    assert item["listed_all"] == {"S": "ALL"}


def test_a_format_that_only_the_release_knows_is_given_by_the_release(plane: OwnControlPlane) -> None:
    upgrade = Upgrade(plane, plane.upload("new", table_format=3))
    assert upgrade.forward() == ""
    assert plane.state == FormatState(3)
    assert getattr(upgrade.ended["verify_upgrade"].evidence, "migrated", 0) == 7


def test_the_way_back_takes_a_newer_format_back_by_the_version_that_knows_it(plane: OwnControlPlane) -> None:
    upgrade = Upgrade(plane, plane.upload("new", table_format=3))
    for name in STEPS[:4]:
        upgrade.run(name)
    plane.state = FormatState(2, moving_to=3, after="x")
    upgrade.back()
    assert (plane.state, plane.serving) == (FormatState(2), "r-old")
