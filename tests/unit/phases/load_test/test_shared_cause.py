"""Where live fails as well in the same seconds, the refusal says that the release is hardly the cause."""

from __future__ import annotations

import pytest
from chalicelib.checks.comparison.side_by_side import after_windows
from chalicelib.domain.evidence.comparison import Compared, Split
from chalicelib.phases.load_test.judge import shared_cause
from chalicelib.phases.load_test.slo import SloResult, SloVerdict

MISSED = [SloResult("error_rate", SloVerdict.FAILED, 0.01, 0.9)]


def errors(candidate: int, live: int) -> Compared:
    """Failures of 100 requests each."""
    return after_windows(Compared(), [Split(100, candidate, 100, live)], 0)


def test_an_hour_in_which_both_fail_is_named() -> None:
    assert shared_cause(MISSED, [errors(95, 94)]).startswith(" Live failed 94 % of its requests in the same seconds")


@pytest.mark.parametrize(("live", "is_named"), [(1, False), (2, True)])
def test_live_failed_as_well_when_it_missed_the_bound_itself(live: int, is_named: bool) -> None:
    assert bool(shared_cause(MISSED, [errors(2, live)])) == is_named


def test_a_candidate_that_fails_more_often_is_the_cause() -> None:
    assert shared_cause(MISSED, [errors(60, 10)]) == ""


def test_without_a_missed_bound_on_errors_or_a_live_side_nothing_is_added() -> None:
    slow = [SloResult("p99_ms", SloVerdict.FAILED, 100.0, 200.0)]
    assert shared_cause(slow, [errors(9, 9)]) == ""
    assert shared_cause(MISSED, []) == shared_cause(MISSED, [Compared("errors")]) == ""
