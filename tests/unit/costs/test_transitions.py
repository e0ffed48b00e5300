"""State transitions, derived from the records of phases. `tests/functional/cost` has another interpreter count them."""

from __future__ import annotations

from typing import Any

import pytest
from chalicelib.costs.transitions import transitions
from chalicelib.domain.aws.usage import Usage
from chalicelib.domain.model import PhaseRecord, PhaseStatus

OUTSIDE = 4  # WhichWayIn, Begin, Ended, Succeeded


def record(name: str, polls: int, status: PhaseStatus = PhaseStatus.SUCCEEDED, **other: Any) -> PhaseRecord:
    return PhaseRecord(0, name, status, polls=polls, **other)


@pytest.mark.parametrize(("polls", "states"), [(1, 2), (2, 5), (5, 14)])
def test_a_poll_is_three_states_and_the_last_one_two(polls: int, states: int) -> None:
    assert transitions([record("deploy_stack", polls)]) == OUTSIDE + states


def test_a_phase_that_runs_has_entered_its_wait() -> None:
    assert transitions([record("bake", 2, PhaseStatus.RUNNING)]) == OUTSIDE + 6


def test_a_phase_that_fails_at_its_first_call_enters_its_task_alone() -> None:
    assert transitions([record("bake", 1, PhaseStatus.FAILED)]) == OUTSIDE + 1
    assert transitions([record("bake", 3, PhaseStatus.FAILED)]) == OUTSIDE + 3 + 2 + 2


def test_a_call_that_died_is_entered_again_without_an_answer() -> None:
    assert transitions([record("bake", 3, usage=Usage(calls=2))]) == OUTSIDE + 3 + 2 + 1


def test_an_approval_has_no_choice_and_a_failed_clean_up_a_second() -> None:
    assert transitions([record("await_approval", 1)]) == OUTSIDE + 1
    assert transitions([record("clean_up", 1, PhaseStatus.FAILED)]) == OUTSIDE + 2


def test_workers_run_under_a_map_in_place_of_the_wait() -> None:
    assert transitions([record("load_test", 2)], workers=8) == OUTSIDE + 5 + 8
    assert transitions([record("load_test", 2)], workers=1) == OUTSIDE + 5


def test_without_a_call_there_is_nothing_to_count() -> None:
    assert transitions([record("bake", 0, PhaseStatus.SKIPPED)]) == 0
