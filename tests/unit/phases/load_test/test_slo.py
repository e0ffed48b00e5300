"""SLOs decide: what passes, what fails, and what the samples cannot decide."""

from __future__ import annotations

import random
from typing import Any

import pytest
from chalicelib.domain.options import COMPARISON_SAMPLES, Slo
from chalicelib.load.histogram import Histogram, add
from chalicelib.phases.load_test.slo import (
    Figures,
    SloResult,
    SloVerdict,
    judge,
    judge_slowdown,
    judge_upper_bound,
    passed,
    slower_than,
)

from tests.fakes.load_runs import run_of

NO_SLO = {"p99_ms": None, "error_rate": 1.0, "rps": None, "cold_start_ms": None}


def figures(samples_ms: list[float], **other: Any) -> Figures:
    histogram = Histogram()
    for ms in samples_ms:
        histogram.record(int(ms * 1_000))
    defaults: dict[str, Any] = {"good": len(samples_ms), "failed": 0, "duration_s": 10.0}
    defaults |= {"response": histogram, "by_second": {}}
    return Figures(**defaults | other)


def only(results: list[SloResult], name: str) -> SloResult:
    return next(result for result in results if result.slo == name)


def slo(**bounds: Any) -> Slo:
    return Slo(**NO_SLO | bounds)


def test_a_p99_within_its_bound_passes_and_tells_bound_figure_and_interval() -> None:
    judged = only(judge(figures([10.0] * 990 + [50.0] * 10), slo(p99_ms=20), None, "s"), "p99_ms")
    assert judged.verdict is SloVerdict.PASSED
    row = judged.as_row()
    assert row.bound == 20
    assert row.figure == pytest.approx(10, rel=0.01)
    assert row.interval is not None
    assert row.interval[1] == pytest.approx(50, rel=0.01)


def test_a_p99_wholly_beyond_its_bound_fails() -> None:
    judged = only(judge(figures([10.0] * 900 + [50.0] * 100), slo(p99_ms=20), None, "s"), "p99_ms")
    assert judged.verdict is SloVerdict.FAILED


def test_a_p99_beyond_its_bound_by_chance_is_inconclusive_and_does_not_pass() -> None:
    judged = judge(figures([10.0] * 98 + [50.0] * 2), slo(p99_ms=20), None, "s")
    assert only(judged, "p99_ms").verdict is SloVerdict.INCONCLUSIVE
    assert not passed(judged)


def test_too_few_samples_for_a_p99_are_inconclusive_and_say_how_many_it_takes() -> None:
    judged = only(judge(figures([10.0] * 99), slo(p99_ms=20), None, "s"), "p99_ms")
    assert judged.verdict is SloVerdict.INCONCLUSIVE
    assert "100" in judged.why
    assert only(judge(figures([10.0] * 100), slo(p99_ms=20), None, "s"), "p99_ms").verdict is SloVerdict.PASSED


def test_an_error_rate_is_judged_on_all_answers() -> None:
    assert only(judge(figures([1.0] * 1_000, failed=1), slo(error_rate=0.01), None, "s"), "error_rate").figure == (
        pytest.approx(1 / 1_001)
    )
    failed = judge(figures([1.0] * 900, failed=100), slo(error_rate=0.01), None, "s")
    assert only(failed, "error_rate").verdict is SloVerdict.FAILED


def test_no_answer_at_all_does_not_pass() -> None:
    assert not passed(judge(figures([]), slo(error_rate=0.01), None, "s"))


def test_good_answers_a_second_must_reach_the_bound() -> None:
    assert passed(judge(figures([1.0] * 2_000), slo(rps=200), None, "s"))
    assert not passed(judge(figures([1.0] * 1_999), slo(rps=200), None, "s"))


def test_the_slowest_cold_start_counts() -> None:
    assert passed(judge(figures([1.0], cold_starts_ms=(100, 900)), slo(cold_start_ms=900), None, "s"))
    assert not passed(judge(figures([1.0], cold_starts_ms=(100, 901)), slo(cold_start_ms=900), None, "s"))


def test_cold_starts_that_are_judged_but_were_not_seen_do_not_pass() -> None:
    result = only(judge(figures([1.0], cold_starts_ms=()), slo(cold_start_ms=900), None, "s"), "cold_start_ms")
    assert result.verdict is SloVerdict.INCONCLUSIVE


def test_a_slowdown_that_is_judged_without_a_last_good_run_is_left_out() -> None:
    assert [result.slo for result in judge(figures([1.0]), slo(slowdown=0.2), None, "s")] == ["error_rate"]


def test_a_comparison_of_few_samples_is_inconclusive() -> None:
    chance = random.Random(1)
    judged = slower_than(run_of(chance, 1, count=3), run_of(chance, 1, count=3), 0.2, "s")
    assert judged.verdict is SloVerdict.INCONCLUSIVE


@pytest.mark.parametrize(
    ("figure", "interval", "bound", "verdict"),
    [
        # The bound: nine tenths of it, which the interval must reach.
        (0.17, (0.15, 0.179), 0.2, SloVerdict.PASSED),
        (0.17, (0.15, 0.181), 0.2, SloVerdict.FAILED),
        (0.8, (0.7, 0.89), 1.0, SloVerdict.PASSED),
        (0.8, (0.7, 0.91), 1.0, SloVerdict.FAILED),
        # The noise of 5 %, which the whole interval must exceed.
        (0.12, (0.049, 0.19), 0.2, SloVerdict.PASSED),
        (0.12, (0.051, 0.19), 0.2, SloVerdict.FAILED),
        # A bound of less than twice the noise: half the bound instead of the noise.
        (0.03, (0.019, 0.04), 0.04, SloVerdict.PASSED),
        (0.03, (0.021, 0.04), 0.04, SloVerdict.FAILED),
        # Beyond the bound, but perhaps by chance.
        (0.199, (0.0, 0.4), 0.2, SloVerdict.PASSED),
        (0.201, (0.0, 0.4), 0.2, SloVerdict.INCONCLUSIVE),
        # A figure within the noise is no evidence against a smaller bound.
        (0.049, (-0.02, 0.1), 0.01, SloVerdict.PASSED),
        (0.051, (-0.02, 0.1), 0.01, SloVerdict.INCONCLUSIVE),
    ],
)
def test_a_slowdown_is_judged_by_bound_and_noise(
    figure: float, interval: tuple[float, float], bound: float, verdict: SloVerdict
) -> None:
    assert judge_slowdown(figure, interval, bound).verdict is verdict


def test_a_comparison_needs_200_samples_on_either_side() -> None:
    enough, too_few = run_of(random.Random(1), 1, count=20, each=10), run_of(random.Random(2), 1, count=199, each=1)
    assert sum(second.total for second in enough.values()) == COMPARISON_SAMPLES == 200
    assert slower_than(enough, enough, 0.2, "s").verdict is SloVerdict.PASSED
    assert slower_than(too_few, enough, 0.2, "s").verdict is SloVerdict.INCONCLUSIVE
    assert slower_than(enough, too_few, 0.2, "s").verdict is SloVerdict.INCONCLUSIVE


@pytest.mark.parametrize(
    ("figure", "low", "verdict"),
    [
        (99.9, 90.0, SloVerdict.PASSED),
        (100.0, 100.0, SloVerdict.PASSED),
        (100.1, 100.0, SloVerdict.INCONCLUSIVE),
        (100.2, 100.1, SloVerdict.FAILED),
    ],
)
def test_a_figure_may_reach_its_upper_bound_and_fails_only_when_its_interval_is_beyond(
    figure: float, low: float, verdict: SloVerdict
) -> None:
    assert judge_upper_bound("p99_ms", 100.0, figure, (low, None)).verdict is verdict


def test_an_error_rate_of_exactly_its_bound_passes() -> None:
    assert passed(judge(figures([1.0] * 990, failed=10), slo(error_rate=0.01), None, "s"))
    assert not passed(judge(figures([1.0] * 989, failed=11), slo(error_rate=0.01), None, "s"))


def test_the_same_runs_are_judged_the_same_way_twice() -> None:
    chance = random.Random(7)
    before, after = run_of(chance, 1.0), run_of(chance, 1.1)
    assert slower_than(before, after, 0.2, "seed") == slower_than(before, after, 0.2, "seed")


def test_merged_seconds_are_the_whole_run() -> None:
    run = run_of(random.Random(9), 1.0)
    assert add(run.values()).total == 1_000
