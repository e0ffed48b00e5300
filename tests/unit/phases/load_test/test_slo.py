"""SLOs decide: what passes, what fails, and what nobody can tell."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

import pytest
from chalicelib.domain.config import Slo
from chalicelib.load.histogram import Histogram, add
from chalicelib.phases.load_test.slo import Figures, Judged, Judgement, judge, passed, slower_than

NO_SLO = {"p99_ms": None, "error_rate": 1.0, "rps": None, "cold_start_ms": None}


def run_of(chance: random.Random, factor: float, *, count: int = 20, each: int = 50) -> dict[int, Histogram]:
    """A run as load tests see them: lognormal latencies, and seconds that differ by a few percent."""
    made = {}
    for second in range(count):
        mood = factor * chance.lognormvariate(0, 0.03)
        made[second] = Histogram()
        for _ in range(each):
            made[second].record(int(chance.lognormvariate(9.5, 0.35) * mood))
    return made


def figures(samples_ms: list[float], **other: Any) -> Figures:
    histogram = Histogram()
    for ms in samples_ms:
        histogram.record(int(ms * 1_000))
    given: dict[str, Any] = {"good": len(samples_ms), "failed": 0, "duration_s": 10.0}
    given |= {"response": histogram, "by_second": {}}
    return Figures(**given | other)


def only(found: list[Judged], name: str) -> Judged:
    return next(one for one in found if one.slo == name)


def slo(**bounds: Any) -> Slo:
    return Slo(**NO_SLO | bounds)


def test_a_p99_within_its_bound_passes_and_tells_bound_figure_and_interval() -> None:
    judged = only(judge(figures([10.0] * 990 + [50.0] * 10), slo(p99_ms=20), None, "s"), "p99_ms")
    assert judged.judgement is Judgement.PASSED
    evidence = judged.as_evidence()
    assert evidence["bound"] == 20
    assert evidence["figure"] == pytest.approx(10, rel=0.01)
    assert evidence["interval"][1] == pytest.approx(50, rel=0.01)


def test_a_p99_wholly_beyond_its_bound_fails() -> None:
    judged = only(judge(figures([10.0] * 900 + [50.0] * 100), slo(p99_ms=20), None, "s"), "p99_ms")
    assert judged.judgement is Judgement.FAILED


def test_a_p99_beyond_its_bound_by_chance_is_inconclusive_and_does_not_pass() -> None:
    judged = judge(figures([10.0] * 98 + [50.0] * 2), slo(p99_ms=20), None, "s")
    assert only(judged, "p99_ms").judgement is Judgement.INCONCLUSIVE
    assert not passed(judged)


def test_too_few_samples_for_a_p99_are_inconclusive_and_say_how_many_it_takes() -> None:
    judged = only(judge(figures([10.0] * 99), slo(p99_ms=20), None, "s"), "p99_ms")
    assert judged.judgement is Judgement.INCONCLUSIVE
    assert "100" in judged.why


def test_an_error_rate_is_judged_on_all_answers() -> None:
    assert only(judge(figures([1.0] * 1_000, failed=1), slo(error_rate=0.01), None, "s"), "error_rate").figure == (
        pytest.approx(1 / 1_001)
    )
    failed = judge(figures([1.0] * 900, failed=100), slo(error_rate=0.01), None, "s")
    assert only(failed, "error_rate").judgement is Judgement.FAILED


def test_no_answer_at_all_does_not_pass() -> None:
    assert not passed(judge(figures([]), slo(error_rate=0.01), None, "s"))


def test_good_answers_a_second_must_reach_the_bound() -> None:
    assert passed(judge(figures([1.0] * 2_000), slo(rps=200), None, "s"))
    assert not passed(judge(figures([1.0] * 1_999), slo(rps=200), None, "s"))


def test_the_slowest_cold_start_counts() -> None:
    assert passed(judge(figures([1.0], cold_starts_ms=(100, 900)), slo(cold_start_ms=900), None, "s"))
    assert not passed(judge(figures([1.0], cold_starts_ms=(100, 901)), slo(cold_start_ms=900), None, "s"))


def test_cold_starts_that_are_judged_but_were_not_seen_do_not_pass() -> None:
    found = only(judge(figures([1.0], cold_starts_ms=()), slo(cold_start_ms=900), None, "s"), "cold_start_ms")
    assert found.judgement is Judgement.INCONCLUSIVE


def test_a_slowdown_that_is_judged_without_a_last_good_run_is_left_out() -> None:
    assert [one.slo for one in judge(figures([1.0]), slo(slowdown=0.2), None, "s")] == ["error_rate"]


def test_a_comparison_of_few_samples_is_inconclusive() -> None:
    chance = random.Random(1)
    judged = slower_than(run_of(chance, 1, count=3), run_of(chance, 1, count=3), 0.2, "s")
    assert judged.judgement is Judgement.INCONCLUSIVE


def judgements(factor: float, runs: int) -> Mapping[Judgement, int]:
    """Many pairs of runs, each pair with chances of its own."""
    found = []
    for number in range(runs):
        chance = random.Random(f"{factor}:{number}")
        found.append(slower_than(run_of(chance, 1.0), run_of(chance, factor), 0.2, str(number)).judgement)
    return {judgement: found.count(judgement) for judgement in Judgement}


def test_a_release_that_is_20_percent_slower_is_stopped_in_at_least_19_of_20_runs() -> None:
    assert judgements(1.2, 40)[Judgement.FAILED] >= 38


def test_an_equal_release_passes_in_at_least_19_of_20_runs() -> None:
    assert judgements(1.0, 40)[Judgement.PASSED] >= 38


def test_a_faster_release_passes() -> None:
    assert judgements(0.8, 6)[Judgement.PASSED] == 6


def test_the_same_runs_are_judged_the_same_way_twice() -> None:
    chance = random.Random(7)
    before, after = run_of(chance, 1.0), run_of(chance, 1.1)
    assert slower_than(before, after, 0.2, "seed") == slower_than(before, after, 0.2, "seed")


def test_a_verdict_names_slo_bound_figure_and_interval() -> None:
    told = str(only(judge(figures([10.0] * 1_000), slo(p99_ms=5), None, "s"), "p99_ms"))
    assert told.startswith("p99_ms FAILED: 10.0")
    assert "95 %" in told
    assert "bound 5" in told


def test_merged_seconds_are_the_whole_run() -> None:
    run = run_of(random.Random(9), 1.0)
    assert add(run.values()).total == 1_000
