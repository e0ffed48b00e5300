"""An event says only that the state changed."""

from __future__ import annotations

import pytest
from chalicelib.domain.model import Action, DeploymentStatus
from chalicelib.domain.records import DriftRow, Incident
from chalicelib.phases.record_outcome.incidents import Change, change, decides, is_verdict, record
from chalicelib.phases.record_outcome.outcome import Outcome

OPEN = {"opened_at": "t0", "opened_by": "d-1", "why": "the alias moved"}


def after(before: dict[str, str] | None, *, good: bool) -> Change | None:
    return change(before, good=good, why="why", at="t1", deployment_id="d-2")


def test_good_to_bad_opens_with_since_when_by_what_and_why() -> None:
    opened = after(None, good=False)
    assert opened == Change("incident.opened", {"opened_at": "t1", "opened_by": "d-2", "why": "why"}, {"why": "why"})


def test_bad_to_good_closes_and_repeats_what_it_was() -> None:
    assert after(OPEN, good=True) == Change("incident.closed", None, OPEN)


@pytest.mark.parametrize(("before", "good"), [(None, True), (OPEN, False)])
def test_the_same_again_emits_nothing(before: dict[str, str] | None, good: bool) -> None:
    assert after(before, good=good) is None


@pytest.mark.parametrize("code", ["Aborted", "ExecutionStopped", "LockLost"])
def test_a_check_that_was_stopped_says_nothing_of_the_environment(code: str) -> None:
    assert not is_verdict(Outcome(DeploymentStatus.FAILED, "", {"code": code}))
    assert is_verdict(Outcome(DeploymentStatus.FAILED, "", {"code": "Drift"}))


GOOD = Outcome(DeploymentStatus.SUCCEEDED, "")
BAD = Outcome(DeploymentStatus.FAILED, "", {"code": "Drift"})
STOPPED = Outcome(DeploymentStatus.ABORTED, "", {"code": "Aborted"})


@pytest.mark.parametrize(
    ("action", "outcome", "validated", "decided"),
    [
        (Action.REVALIDATE, GOOD, False, True),
        (Action.REVALIDATE, BAD, False, True),
        (Action.REVALIDATE, STOPPED, True, False),
        (Action.DEPLOY, GOOD, True, True),
        (Action.DEPLOY, GOOD, False, False),
        (Action.DEPLOY, BAD, True, False),
        (Action.CLEANUP, GOOD, False, True),
        (Action.CLEANUP, BAD, True, False),
        (Action.ROLLBACK, GOOD, True, False),
        (Action.PLAN, GOOD, True, False),
        (Action.DRILL, GOOD, True, False),
    ],
)
def test_only_a_check_or_a_removal_of_the_environment_decides(
    action: Action, outcome: Outcome, validated: bool, decided: bool
) -> None:
    assert decides(action, outcome, validated=validated) is decided


@pytest.mark.parametrize(("length", "recorded"), [(999, 999), (1_000, 1_000), (1_001, 1_000)])
def test_the_environments_record_holds_the_first_thousand_characters_of_a_reason(length: int, recorded: int) -> None:
    opened = change(None, good=False, why="x" * length, at="t1", deployment_id="d-2")
    assert opened is not None
    assert opened.incident is not None
    assert len(opened.incident["why"]) == recorded
    assert len(opened.detail["why"]) == length


def test_an_opened_incident_is_recorded_without_an_end_and_a_closed_one_with_it() -> None:
    drift = (DriftRow("f:live", "version 3", "version 2"),)
    opened, closed = after(None, good=False), after(OPEN, good=True)
    assert opened is not None
    assert closed is not None
    assert record(opened, "all good", drift, at="t9", deployment_id="d-2") == Incident("t1", "d-2", "why", drift)
    assert record(closed, "all good", drift, at="t9", deployment_id="d-2") == Incident(
        "t0", "d-1", "the alias moved", (), "t9", "d-2", "all good"
    )
