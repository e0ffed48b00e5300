"""What would have changed a verdict: exactly so many more or fewer."""

from __future__ import annotations

import random

import pytest
from chalicelib.domain.options import Slo
from chalicelib.load.histogram import Histogram, index_of, lowest
from chalicelib.phases.load_test import what_if
from chalicelib.phases.load_test.slo import Figures, SloResult, SloVerdict, judge, judge_slowdown
from chalicelib.phases.load_test.wording import phrase


def of(*ms: float) -> Histogram:
    histogram = Histogram()
    for each in ms:
        histogram.record(int(each * 1_000))
    return histogram


def judged(**other: object) -> dict[str, SloResult]:
    defaults = {"good": 100, "failed": 0, "duration_s": 10, "response": of(*[50.0] * 100), "by_second": {}}
    figures = Figures(**{**defaults, **other})  # type: ignore[arg-type]
    return {result.slo: result for result in judge(figures, Slo(rps=10, usd_per_million=5), None, "s")}


@pytest.mark.parametrize("total", [100, 101, 150, 400])
@pytest.mark.parametrize("slow", [0, 1, 2, 4, 9])
def test_so_many_answers_decide_a_p99(total: int, slow: int) -> None:
    def passes(hits: int) -> bool:
        return (of(*[50.0] * (total - hits), *[3_000.0] * hits).percentile(0.99) or 0) <= 2_000_000

    text = what_if.of_quantile(of(*[50.0] * (total - slow), *[3_000.0] * slow), 0.99, 2_000)
    count = int(text.split()[0])
    sign = 1 if passes(slow) else -1
    assert count >= 1
    assert passes(slow + sign * count) != passes(slow)
    assert passes(slow + sign * (count - 1)) == passes(slow)
    assert text.endswith("above the limit would have stopped it" if passes(slow) else "would have let it pass")


def test_answers_in_the_bucket_of_the_limit_are_within_it() -> None:
    """50 answers in each of four buckets, which are 0.5 ms wide at about 100 ms; half of the 200 may be above."""
    index, answers = index_of(100_000), Histogram()
    for us in (lowest(each) for each in range(index - 1, index + 3)):
        for _ in range(50):
            answers.record(us)
    limits_us = (lowest(index), lowest(index + 1) - 1, lowest(index + 1))
    texts = [what_if.of_quantile(answers, 0.5, us / 1_000).partition(" answer")[0] for us in limits_us]
    assert texts == ["1 more", "1 more", "51 more"]


def test_so_many_failures_decide_a_share_over_2000_cases() -> None:
    chance = random.Random(3)
    for _ in range(2_000):
        total, bound = chance.randint(1, 2_000), chance.choice([0.0, 0.001, 0.01, 0.05, 0.29, 0.3, 0.57])
        failed = chance.randint(0, total)
        count, direction = what_if.of_failures(failed, total, bound).split()[:2]
        sign, count = 1 if direction == "more" else -1, count.replace(",", "")
        passes = failed / total <= bound
        assert (sign == 1) == passes
        assert ((failed + sign * int(count)) / total <= bound) != passes
        assert ((failed + sign * (int(count) - 1)) / total <= bound) == passes


def test_what_decides_is_exact_where_floating_point_is_not() -> None:
    """0.29 * 100 is 28.999…, and 16.6 * 15 is 249.00000000000003."""
    assert what_if.of_failures(29, 100, 0.29) == "1 more failure would have stopped it"
    assert what_if.of_failures(30, 100, 0.29) == "1 fewer failure would have let it pass"
    assert what_if.of_rate(249, 15, 16.6) == "1 fewer good answer would have stopped it"
    assert what_if.of_rate(248, 15, 16.6) == "1 more good answer would have let it pass"
    assert what_if.of_rate(11, 10, 1.05) == "1 fewer good answer would have stopped it"
    assert what_if.of_rate(10, 10, 1.05) == "1 more good answer would have let it pass"
    assert what_if.of_rate(0, 0, 1.1) == what_if.of_rate(0, 30, 0) == "1 fewer good answer would have stopped it"


@pytest.mark.parametrize(
    ("good", "text"),
    [
        (100, "1 fewer good answer would have stopped it"),
        (130, "31 fewer good answers would have stopped it"),
        (99, "1 more good answer would have let it pass"),
        (50, "50 more good answers would have let it pass"),
    ],
)
def test_so_many_good_answers_decide_a_rate(good: int, text: str) -> None:
    assert what_if.of_rate(good, 10, 10) == text
    assert judged(good=good)["rps"].more == text
    assert judged(good=good)["rps"].samples == good
    assert judged(good=good)["rps"].verdict is (SloVerdict.PASSED if good >= 100 else SloVerdict.FAILED)


@pytest.mark.parametrize(
    ("starts", "text"),
    [
        ((400.0, 5_000.0), "1 more start above the limit would have stopped it"),
        ((400.0, 5_001.0, 9_000.0), "2 fewer starts above the limit would have let it pass"),
    ],
)
def test_every_cold_start_decides(starts: tuple[float, ...], text: str) -> None:
    result = judged(cold_starts_ms=starts)["cold_start_ms"]
    assert (result.more, result.samples) == (text, len(starts))


def test_a_price_has_no_samples() -> None:
    cheap, dear = judged(usd_per_million=5.0)["usd_per_million"], judged(usd_per_million=5.01)["usd_per_million"]
    assert (cheap.samples, cheap.more) == (None, "a figure above the limit would have stopped it")
    assert dear.more == "one within the limit would have let it pass"


def test_rows_and_phrases_carry_samples_and_the_reason() -> None:
    row = judged(failed=1)["error_rate"].as_row()
    assert (row.samples, row.more) == (101, "1 more failure would have stopped it")
    text = phrase(judged()["p99_ms"])
    assert text.endswith("limit 2,000 ms: pass (100 samples; 2 more answers above the limit would have stopped it)")
    slower = judge_slowdown(0.2, (0.1, 0.3), 0.2)
    assert slower.more == "an interval above 5 % that reaches 18 % stops it"
    few = judged(response=of(1.0))["p99_ms"]
    assert "(1 samples; p99 needs 100: raise options.load.rps or duration_s)" in phrase(few)
