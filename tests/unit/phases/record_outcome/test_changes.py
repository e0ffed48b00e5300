"""What a rotation changes in the record of its environment; whether a clean-up that failed had begun to remove."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from chalicelib.domain.config import Config
from chalicelib.domain.model import Action, Deployment, DeploymentStatus, PhaseRecord, PhaseStatus, Release
from chalicelib.domain.options import Options
from chalicelib.phases.record_outcome.changes import _REFUSALS, began_to_remove, changes
from chalicelib.phases.record_outcome.outcome import Outcome

from tests.fakes.requests import environment, release, request

REFUSED = PhaseRecord(12, "clean_up", PhaseStatus.FAILED, polls=1)
REFUSAL = {"code": sorted(_REFUSALS)[0]}


def ended(broken: PhaseRecord | None, error: dict[str, str] | None) -> Outcome:
    return Outcome(DeploymentStatus.FAILED, "", error, broken)


@pytest.mark.parametrize(
    ("other", "error", "began"),
    [
        ({}, REFUSAL, False),
        ({"polls": 0}, REFUSAL, False),
        ({"polls": 2}, REFUSAL, True),
        ({"cursor": {"step": "x"}}, REFUSAL, True),
        ({}, {"code": "Other"}, True),
        ({}, None, True),
        ({"name": "preflight", "polls": 5}, None, False),
    ],
)
def test_a_clean_up_began_unless_its_first_call_refused(
    other: dict[str, Any], error: dict[str, str] | None, began: bool
) -> None:
    assert began_to_remove(ended(replace(REFUSED, **other), error)) is began


def test_a_clean_up_that_failed_in_no_phase_had_not_begun() -> None:
    assert not began_to_remove(ended(None, REFUSAL))


LIVE = replace(release("3"), secret_version="v1")
GOOD = Outcome(DeploymentStatus.SUCCEEDED, "")


def rotated(outcome: Outcome, live: Release | None) -> dict[str, Any]:
    asking = request(action=Action.ROTATE, environment=environment(live=live, last_good=live))
    return changes(
        asking,
        Deployment("d-new", "dev", Action.ROTATE, outcome.status, Config(), Options(), "t0"),
        outcome,
        "t1",
        "v2",
    )


def test_a_rotation_that_passed_makes_another_release_of_the_same_version() -> None:
    changed = rotated(GOOD, LIVE)
    live = changed["live"]
    assert (live["version"], live["secret_version"], live["deployment_id"], live["at"]) == ("3", "v2", "d-new", "t1")
    assert changed["previous"]["secret_version"] == "v1"


def test_a_rotation_that_failed_or_that_had_nothing_live_changes_nothing() -> None:
    assert rotated(ended(None, {"code": "CheckFailed"}), LIVE) == {}
    assert rotated(GOOD, None) == {}
