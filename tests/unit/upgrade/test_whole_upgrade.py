"""An upgrade step by step in memory: it ends on the old or the new release, wherever it is killed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from chalicelib.domain.aws.table_items import FormatState
from chalicelib.upgrade.evidence import (
    PromoteUpgradeEvidence,
    RevertUpgradeEvidence,
    TestUpgradeEvidence,
)

from tests.fakes.own_control_plane import NAMES, OwnControlPlane
from tests.fakes.upgrade_steps import REVERT, STEPS, Killed, Upgrade


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
