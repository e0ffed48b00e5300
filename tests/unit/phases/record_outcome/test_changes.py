"""Whether a clean-up that failed had begun to remove."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from chalicelib.domain.model import DeploymentStatus, PhaseRecord, PhaseStatus
from chalicelib.phases.record_outcome.changes import _REFUSALS, began_to_remove
from chalicelib.phases.record_outcome.outcome import Outcome

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
