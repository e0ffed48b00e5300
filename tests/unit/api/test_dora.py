"""DORA figures count what users got, from the environment's own history."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from chalicelib.api.dora import dora
from chalicelib.domain.records import HistoryEntry

NOW = datetime(2026, 1, 31, tzinfo=UTC)


def entry(hour: int, action: str = "deploy", outcome: str = "SUCCEEDED", **other: Any) -> HistoryEntry:
    at = f"2026-01-30T{hour:02}:00:00+00:00"
    fields = {"at": at, "requested_at": at, "action": action, "outcome": outcome}
    return HistoryEntry(**fields | other)


def test_an_environment_without_history_has_no_figures_rather_than_zeros() -> None:
    answer = dora([], NOW)
    assert (answer.changes, answer.lead_time_s, answer.change_failure_rate, answer.time_to_restore_s) == (
        0,
        None,
        None,
        None,
    )


def test_frequency_and_lead_time_count_good_changes_only() -> None:
    slow = entry(3, requested_at="2026-01-30T02:00:00+00:00")
    quick = entry(5, requested_at="2026-01-30T04:50:00+00:00")
    no_op = entry(6, changed=False)
    answer = dora([no_op, quick, entry(4, outcome="ROLLED_BACK", users_saw_it=True), slow], NOW, days=10)
    assert (answer.changes, answer.failed, answer.deployments_per_day) == (3, 1, 0.2)
    assert answer.lead_time_s == (3600 + 600) / 2


def test_a_change_that_was_taken_back_by_hand_has_failed() -> None:
    answer = dora([entry(3, "rollback"), entry(2), entry(1)], NOW)
    assert (answer.changes, answer.failed, answer.change_failure_rate) == (2, 1, 0.5)


def test_a_rollback_that_failed_took_nothing_back() -> None:
    answer = dora([entry(3, "rollback", "FAILED"), entry(2)], NOW)
    assert (answer.failed, answer.time_to_restore_s) == (0, None)


def test_a_change_taken_back_by_hand_hurt_users_from_its_end_to_the_rollbacks() -> None:
    checked_between = entry(3, "revalidate")
    answer = dora([entry(4, "rollback"), checked_between, entry(2)], NOW)
    assert (answer.failed, answer.time_to_restore_s) == (1, 2 * 3600)
    answer = dora([entry(4, "rollback"), entry(3, "plan"), entry(2)], NOW)
    assert (answer.failed, answer.time_to_restore_s) == (1, 2 * 3600)


def test_what_was_refused_before_it_released_anything_is_no_change() -> None:
    assert dora([entry(1, outcome="FAILED")], NOW).changes == 0


def test_a_plan_restores_nothing() -> None:
    answer = dora([entry(9), entry(4, "plan"), entry(2, "revalidate", "FAILED")], NOW)
    assert answer.time_to_restore_s == 7 * 3600


def test_an_aborted_change_is_no_failure() -> None:
    assert dora([entry(1, outcome="ABORTED")], NOW).change_failure_rate is None


def test_restoring_is_timed_from_what_users_saw_to_the_next_good_end() -> None:
    bad = entry(1, outcome="ROLLED_BACK", users_saw_it=True)
    unseen = entry(8, outcome="FAILED")
    answer = dora([entry(9), unseen, entry(4, "revalidate"), entry(2, "revalidate", "FAILED"), bad], NOW)
    assert answer.time_to_restore_s == 3 * 3600


def test_what_is_older_than_the_window_does_not_count() -> None:
    assert dora([entry(1)], datetime(2026, 6, 1, tzinfo=UTC)).changes == 0


def test_the_window_is_thirty_days_and_includes_its_first_moment() -> None:
    first = entry(0, at="2026-01-01T00:00:00+00:00")
    earlier = entry(0, at="2025-12-31T23:59:59+00:00")
    figures = dora([first, earlier], NOW)
    assert (figures.days, figures.changes) == (30, 1)


def test_a_rollback_takes_back_no_change_that_came_after_it() -> None:
    figures = dora([entry(2), entry(1, "rollback")], NOW)
    assert (figures.changes, figures.failed) == (1, 0)


def test_a_revalidation_ends_each_outage_that_a_revalidation_began() -> None:
    outages = [entry(1, "revalidate", "FAILED"), entry(2, "revalidate")]
    outages += [entry(3, "revalidate", "FAILED"), entry(6, "revalidate")]
    assert dora(outages[::-1], NOW).time_to_restore_s == (1 + 3) / 2 * 3600


def test_rates_are_rounded_to_what_a_reader_can_use() -> None:
    figures = dora([entry(3, outcome="ROLLED_BACK", users_saw_it=True), entry(2), entry(1)], NOW, days=7)
    assert (figures.deployments_per_day, figures.change_failure_rate) == (0.286, 0.3333)
