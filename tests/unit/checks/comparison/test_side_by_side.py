"""Candidate and live side by side: which comparisons there are, what decides, and how each explains itself."""

from __future__ import annotations

import random
from dataclasses import replace
from functools import cache
from math import log

import pytest
from chalicelib.checks.comparison.comparison_words import phrase
from chalicelib.checks.comparison.side_by_side import (
    ENOUGH,
    NEAR,
    NOT_WORSE,
    QUANTILES,
    TOLERATED,
    UNDECIDED,
    WORSE,
    Bound,
    Sides,
    after_windows,
    compare,
    compare_times,
    settle_s,
    tables,
    worse,
)
from chalicelib.domain.evidence.comparison import Compared, Sequence, Split
from chalicelib.domain.options import Relative, Slo
from chalicelib.load import shard
from chalicelib.load.recorder import Recorder
from chalicelib.release.sequential import RULES, WITHIN, log_evidence, step, tolerating

DEFAULT = Slo()
NOTHING = Relative(errors=None, overhead=None, first_byte=None, total=None)


@cache
def run(
    ms: float = 40.0,
    *,
    seconds: int = 20,
    each: int = 50,
    seed: str = "",
    bad: int = 0,
    series: str = "total",
    spread: float = 0.3,
    since: int = 0,
) -> shard.Summary:
    """A run whose `series` has a median of `ms`. bad: failures in each second."""
    chance, recorder = random.Random(f"{seed}:{ms}"), Recorder(0.0)
    for second in range(since, since + seconds):
        for _ in range(each):
            recorder.compare(series, float(second), ms / 1_000 * chance.lognormvariate(0, spread))
        for _ in range(bad):
            recorder.failed("http_500", float(second), second + 0.1)
    return shard.combine([shard.encode(recorder, started_at=0.0)])


def verdicts(candidate: shard.Summary, live: shard.Summary, slo: Slo = DEFAULT) -> dict[str, str]:
    return {each.metric: each.verdict for each in compare(Sides(candidate, live), slo)}


def test_an_equal_release_is_not_worse_and_its_median_is_proven_to_be_within_the_bound() -> None:
    assert verdicts(run(seed="a"), run(seed="b")) == {
        "errors": NOT_WORSE,
        "total_p50": NOT_WORSE,
        "total_p99": NOT_WORSE,
    }


def test_a_release_that_is_20_percent_slower_is_worse() -> None:
    assert verdicts(run(48, seed="a"), run(40, seed="b"))["total_p50"] == WORSE


@pytest.mark.parametrize(("ms", "verdict"), [(43, NOT_WORSE), (36, NOT_WORSE), (54, WORSE)])
def test_a_little_slower_passes_and_much_slower_does_not(ms: float, verdict: str) -> None:
    candidate, live = run(ms, seconds=80, each=100, seed="a"), run(40, seconds=80, each=100, seed="b")
    assert verdicts(candidate, live)["total_p50"] == verdict


def test_a_heavier_tail_with_the_same_median_is_worse() -> None:
    slow = run(40, seconds=60, each=100, seed="a", spread=0.9)
    judged = verdicts(slow, run(40, seconds=60, each=100, seed="b"))
    assert (judged["total_p50"], judged["total_p99"]) == (NOT_WORSE, WORSE)


def test_failures_are_compared_from_the_first_second_and_times_after_the_start() -> None:
    sides = Sides(run(400, seconds=2, bad=5, seed="a"), run(40, seconds=2, seed="b"), settle_s=2)
    errors, median, _ = compare(sides, Slo())
    assert (errors.verdict, median.verdict, median.candidate) == (WORSE, UNDECIDED, None)
    assert "not measured on both sides" in phrase(median)


def test_tables_count_good_and_failed_answers_of_each_second() -> None:
    candidate, live = run(seconds=2, each=3, bad=1), run(seconds=1, each=2, since=1, series="first_byte")
    assert tables(Sides(candidate, live)) == [Split(4, 1, 0, 0), Split(4, 1, 2, 0)]
    assert tables(Sides(run(each=0, bad=2, seconds=1), run(each=0, bad=1, seconds=1))) == [Split(2, 2, 1, 1)]


def test_only_what_both_runs_measured_and_the_slo_bounds_is_compared() -> None:
    overhead = Slo(relative=replace(NOTHING, overhead=0.5))
    both = run(series="overhead", seed="a"), run(series="overhead", seed="b")
    assert list(verdicts(*both, overhead)) == ["overhead_p50", "overhead_p99"]
    assert list(verdicts(*both)) == ["errors", "overhead_p50", "overhead_p99"]
    assert list(verdicts(run(), run(series="overhead"), overhead)) == []
    assert list(verdicts(run(series="overhead"), run(), overhead)) == []
    streams = run(series="first_byte", seed="a"), run(series="first_byte", seed="b")
    assert list(verdicts(*streams)) == ["errors", "first_byte_p50", "first_byte_p99"]
    assert verdicts(*both, Slo(relative=NOTHING)) == {}


def test_the_earlier_name_of_the_bound_on_totals_still_counts() -> None:
    loose = Slo(slowdown=1.0)
    assert verdicts(run(48, seed="a"), run(40, seed="b"), loose)["total_p50"] == NOT_WORSE
    median = compare(Sides(run(48, seed="a"), run(40, seed="b")), loose)[1]
    assert (median.bound, median.tolerance) == (1.0, 0.25)


def overheads(ours: float, theirs: float) -> Sides:
    """A minute of the proxy's own times around these medians, in milliseconds."""
    candidate, live = (
        run(ms, series="overhead", seed=name, seconds=60, spread=0.1) for ms, name in ((ours, "a"), (theirs, "b"))
    )
    return Sides(candidate, live)


@pytest.mark.parametrize(
    ("ours", "theirs", "verdict"),
    [(6.2, 4.0, NOT_WORSE), (9.5, 4.0, WORSE), (48.0, 40.0, WORSE), (41.0, 40.0, NOT_WORSE)],
)
def test_the_overhead_may_be_slower_by_20_percent_or_5_milliseconds(ours: float, theirs: float, verdict: str) -> None:
    sides = overheads(ours, theirs)
    median = next(each for each in compare(sides, Slo()) if each.metric == "overhead_p50")
    assert (median.verdict, median.bound, median.least_ms) == (verdict, 0.2, 5.0)
    assert (
        median.rule == "the candidate's p50 of the proxy's overhead is slower than live's by more than 5 % and 1.25 ms"
    )
    assert ", limit 20 % and 5 ms (odds" in phrase(median)
    loose = compare(sides, Slo(relative=Relative(overhead=2.0, overhead_least_ms=100)))
    assert loose[1].verdict == NOT_WORSE


@pytest.mark.parametrize(("least_ms", "verdict"), [(0, WORSE), (2.3, WORSE), (4, NOT_WORSE)])
def test_a_bound_in_milliseconds_is_a_bound(least_ms: float, verdict: str) -> None:
    """6.2 ms against 4.0: 55 % and 2.2 ms slower. Of a bound nine tenths count as reaching it."""
    slo = Slo(relative=Relative(overhead_least_ms=least_ms))
    assert compare(overheads(6.2, 4.0), slo)[1].verdict == verdict


def test_a_comparison_goes_on_where_an_earlier_phase_left_it() -> None:
    first = compare(Sides(run(seconds=3, seed="a"), run(seconds=3, seed="b")), Slo())
    second = compare(Sides(run(seconds=3, seed="c", series="x"), run(seconds=3, seed="d", series="x")), Slo(), first)
    assert [each.metric for each in second] == ["errors", "total_p50", "total_p99"]
    assert second[1] == first[1]
    third = compare(Sides(run(seconds=3, seed="c"), run(seconds=3, seed="d")), Slo(), first)
    assert third[0].worse.total == Split(300, 0, 300, 0)
    assert third[1].worse.total.candidate == 300
    assert len(third[1].worse.points) > len(first[1].worse.points)


def test_a_release_that_was_within_the_bound_can_still_become_worse() -> None:
    good = compare(Sides(run(seconds=10, seed="a"), run(seconds=10, seed="b")), Slo())
    assert good[1].verdict == NOT_WORSE
    later = compare(Sides(run(60, seconds=30, seed="c"), run(40, seconds=30, seed="d")), Slo(), good)
    assert later[1].verdict == WORSE
    after = compare(Sides(run(30, seconds=90, seed="e"), run(40, seconds=90, seed="f")), Slo(), later)
    assert after[1].verdict == WORSE
    assert after[1].worse.decided_after == later[1].worse.decided_after


def test_proof_of_being_within_the_bound_outweighs_proof_of_being_slower() -> None:
    """9 % slower, with little spread: more than the tolerance of 5 %, less than 18 %."""
    sides = Sides(run(43.6, seconds=60, spread=0.15, seed="c"), run(40, seconds=60, spread=0.15, seed="d"))
    median = compare(sides, Slo())[1]
    assert median.worse.peak > log(1_000)
    assert log_evidence(median.within.log_likelihood, WITHIN) > log(20)
    assert (median.verdict, median.worse.decided_after) == (NOT_WORSE, None)


@pytest.mark.parametrize(("count", "verdict"), [(199, UNDECIDED), (200, NOT_WORSE)])
def test_failures_need_200_requests_on_either_side(count: int, verdict: str) -> None:
    assert ENOUGH == 200
    assert after_windows(Compared(), [Split(count, 0, 500, 0)], 0).verdict == verdict
    assert after_windows(Compared(), [Split(500, 0, count, 0)], 0).verdict == verdict


def test_a_tolerance_for_failures_lets_as_many_through() -> None:
    windows = [Split(100, 4, 100, 1)] * 12
    assert after_windows(Compared(), windows, 0).verdict == WORSE
    allowed = after_windows(Compared(), windows, 4)
    assert (allowed.verdict, allowed.bound) == (NOT_WORSE, 4)
    assert allowed.rule == "the candidate fails more often than live by 400 %"
    assert "limit 400 % more often" in phrase(allowed)


@pytest.mark.parametrize(("duration_s", "seconds"), [(1, 1), (7.9, 1), (8, 2), (600, 2)])
def test_environments_have_one_or_two_seconds_to_start(duration_s: float, seconds: int) -> None:
    assert settle_s(duration_s) == seconds


def test_the_numbers_of_the_bounds() -> None:
    assert (TOLERATED, NEAR) == (0.25, 0.9)
    median = compare(Sides(run(seconds=4, seed="a"), run(seconds=4, seed="b")), Slo())[1]
    assert (median.bound, median.tolerance, median.unit) == (0.2, 0.05, "ms")
    assert median.needed == 1_000.0
    assert median.rule == "the candidate's p50 of whole answers is slower than live's by more than 5 %"
    assert median.candidate == pytest.approx(40, rel=0.1)


def test_a_failed_comparison_explains_itself() -> None:
    result = after_windows(Compared(), [Split(100, 2, 100, 0)] * 6, 0)
    assert worse([result, Compared("x", NOT_WORSE)]) == [result]
    assert (result.metric, result.unit, result.candidate, result.live) == ("errors", "share", 0.02, 0.0)
    assert (result.needed, result.rule) == (200.0, "the candidate fails more often than live")
    assert result.worse.decided_after == 1_000
    assert phrase(result) == (
        "errors 2 % of 600 against live's 0 % of 600 (odds 2 to any times live's with 95 % confidence): "
        "fail after 1,000 requests (4 fewer failures of the candidate would have left it undecided)"
    )


def test_a_passed_comparison_says_what_would_have_stopped_it() -> None:
    result = after_windows(Compared(), [Split(100, 0, 100, 0)] * 3, 0)
    assert phrase(result) == (
        "errors 0 % of 300 against live's 0 % of 300 (odds any to any times live's with 95 % confidence): "
        "pass (9 more failures of the candidate would have stopped it)"
    )
    assert phrase(after_windows(Compared(), [Split(5, 0, 5, 0)], 0)).count("not decided yet") == 1
    nothing = after_windows(Compared(), [], 0)
    assert phrase(nothing).endswith("(requests of both sides would have begun the test)")


def test_times_are_named_with_both_figures_and_the_difference() -> None:
    median = compare(Sides(run(48, seed="a"), run(40, seed="b")), Slo())[1]
    text = phrase(median)
    assert text.startswith("p50 of answers 4")
    assert "% slower, limit 20 % (odds " in text
    assert " requests (" in text
    assert "fewer slow answers of the candidate would have left it undecided" in text
    fast = compare(Sides(run(30, seed="a"), run(40, seed="b")), Slo())[1]
    assert "% faster, limit 20 %" in phrase(fast)


def test_the_quantiles_and_the_defaults_of_a_bound() -> None:
    assert dict(QUANTILES) == {"p50": 0.5, "p99": 0.99}
    assert Bound(0.2) == Bound(0.2, 0.0)


def test_figures_are_milliseconds_to_four_digits_and_the_needed_evidence_has_one_decimal() -> None:
    constant = run(40, series="overhead", spread=0.0, seconds=3)
    median = compare(Sides(constant, constant, settle_s=2), Slo())[1]
    assert (median.metric, median.candidate, median.live, median.needed) == ("overhead_p50", 40.06, 40.06, 1_666.7)


def test_without_a_time_to_settle_the_first_second_counts() -> None:
    first = run(40, seconds=1).series
    assert compare_times(first, first, Slo())[0].worse.total.candidate == 50


def test_the_second_in_which_settling_ends_counts() -> None:
    third = run(40, seconds=1, since=2)
    median = compare(Sides(third, third, settle_s=2), Slo())[1]
    assert median.candidate is not None
    assert median.worse.total.candidate == 50


def test_failing_more_often_by_as_much_again_is_twice_the_odds() -> None:
    window, sequence = Split(50, 4, 50, 1), Sequence()
    for _ in range(3):
        sequence = step(sequence, window, tolerating(RULES["errors"], 2))
    assert after_windows(Compared(), [window] * 3, 1).worse == sequence
