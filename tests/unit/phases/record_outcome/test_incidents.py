"""Only a change of state is told."""

from __future__ import annotations

import pytest
from chalicelib.domain.model import DeploymentStatus
from chalicelib.phases.record_outcome.incidents import Change, change, says_something
from chalicelib.phases.record_outcome.outcome import Outcome

OPEN = {"opened_at": "t0", "opened_by": "d-1", "why": "the alias moved"}


def after(before: dict[str, str] | None, *, good: bool) -> Change | None:
    return change(before, good=good, why="why", at="t1", deployment_id="d-2")


def test_good_to_bad_opens_with_since_when_by_what_and_why() -> None:
    told = after(None, good=False)
    assert told == Change("incident.opened", {"opened_at": "t1", "opened_by": "d-2", "why": "why"}, {"why": "why"})


def test_bad_to_good_closes_and_tells_what_it_was() -> None:
    assert after(OPEN, good=True) == Change("incident.closed", None, OPEN)


@pytest.mark.parametrize(("before", "good"), [(None, True), (OPEN, False)])
def test_the_same_again_tells_nothing(before: dict[str, str] | None, good: bool) -> None:
    assert after(before, good=good) is None


@pytest.mark.parametrize("code", ["Aborted", "ExecutionStopped", "LockLost"])
def test_a_check_that_was_stopped_says_nothing_of_the_environment(code: str) -> None:
    assert not says_something(Outcome(DeploymentStatus.FAILED, "", {"code": code}))
    assert says_something(Outcome(DeploymentStatus.FAILED, "", {"code": "Drift"}))
