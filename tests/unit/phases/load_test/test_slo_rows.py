"""Each SLO's row: when there is one, its exact figure, and its bound on both sides."""

from __future__ import annotations

from typing import Any

import pytest
from chalicelib.domain.options import Relative, Slo
from chalicelib.load.histogram import Histogram
from chalicelib.phases.load_test import slo as rules
from chalicelib.phases.load_test.slo import Figures, SloResult, SloVerdict, judge, judge_slowdown, passed, slower_than

OFF: dict[str, Any] = {"p99_ms": None, "first_byte_p99_ms": None, "error_rate": 1.0, "cold_start_ms": None}
PASSED, FAILED, INCONCLUSIVE = SloVerdict.PASSED, SloVerdict.FAILED, SloVerdict.INCONCLUSIVE


def samples(*us_and_counts: tuple[int, int]) -> Histogram:
    histogram = Histogram()
    for us, count in us_and_counts:
        for _ in range(count):
            histogram.record(us)
    return histogram


def results(slo: dict[str, Any], baseline: dict[int, Histogram] | None = None, **measured: Any) -> dict[str, SloResult]:
    """Results by SLO, without that of the error rate, which is always judged."""
    figures: dict[str, Any] = {
        "good": 1_000,
        "failed": 0,
        "duration_s": 10.0,
        "response": samples((200, 1_000)),
        "by_second": {},
    }
    rows = judge(Figures(**figures | measured), Slo(**OFF | slo), baseline, "s")
    return {row.slo: row for row in rows if row.slo != "error_rate"}


def test_the_numbers_that_decide() -> None:
    assert (rules.UNSENT_LIMIT, rules.P99, rules.NOISE, rules.NEAR) == (0.01, 0.99, 0.05, 0.9)


SECONDS = {0: samples((200, 1_000))}
MEASURED: dict[str, Any] = {
    "overhead": samples((100, 1_000)),
    "first_byte": samples((150, 1_000)),
    "cold_starts_ms": (1.0,),
    "usd_per_million": 3.0,
    "record_cold_start_ms": 1.0,
    "record_usd_per_million": 3.0,
    "by_second": SECONDS,
}


def test_what_has_no_bound_has_no_row() -> None:
    assert results({"relative": Relative()}, SECONDS, **MEASURED) == {}


def test_what_was_not_measured_has_no_row() -> None:
    bounds: dict[str, Any] = {
        "first_byte_p99_ms": 1,
        "overhead_p99_ms": 1,
        "cold_start_ms": 1,
        "usd_per_million": 1,
        "slowdown": 0.2,
    }
    assert results(bounds | {"relative": Relative(cold_start=0.1, cost=0.1)}) == {}


def test_all_that_has_a_bound_and_a_figure_has_a_row_in_a_fixed_order() -> None:
    bounds: dict[str, Any] = {"p99_ms": 1, "first_byte_p99_ms": 1, "overhead_p99_ms": 1, "rps": 1, "cold_start_ms": 1}
    bounds |= {"usd_per_million": 4, "slowdown": 0.2}
    rows = results(bounds | {"relative": Relative(cold_start=0.1, cost=0.1)}, SECONDS, **MEASURED)
    times = ["first_byte_p99_ms", "overhead_p99_ms"]
    assert list(rows) == [
        *times,
        "rps",
        "cold_start_ms",
        "usd_per_million",
        "cold_start_relative",
        "cost_relative",
        "slowdown",
    ]
    assert passed(list(rows.values()))


def test_a_stream_is_judged_by_its_first_byte_instead_of_its_end() -> None:
    bounds: dict[str, Any] = {"p99_ms": 1, "first_byte_p99_ms": 1}
    assert list(results(bounds)) == ["p99_ms"]
    assert list(results(bounds, first_byte=samples((150, 1_000)))) == ["first_byte_p99_ms"]


def test_a_p99_and_its_interval_are_milliseconds() -> None:
    row = results({"p99_ms": 1})["p99_ms"]
    assert (row.figure, row.interval, row.why) == (0.2, (0.2, 0.2), "")
    few = results({"p99_ms": 1}, response=samples((200, 100)))["p99_ms"]
    assert (few.figure, few.interval) == (0.2, (0.2, None))
    assert results({"p99_ms": 1}, response=samples((0, 100)))["p99_ms"].figure == 0


def test_an_interval_has_its_own_lower_and_upper_end() -> None:
    """Of 1,000 answers the ranks 983 to 998."""
    row = results({"p99_ms": 1}, response=samples((100, 985), (200, 15)))["p99_ms"]
    assert (row.figure, row.interval) == (0.2, (0.1, 0.2))


def test_a_slowdown_is_that_of_the_median() -> None:
    """45 % of the answers take 0.1 ms and 45 % 0.2 ms; those between take 0.15 ms."""
    before, after = {0: samples((100, 1_000))}, {0: samples((100, 460), (150, 80), (200, 460))}
    assert slower_than(before, after, 0.2, "s").figure == pytest.approx(0.5)


@pytest.mark.parametrize(("figure", "verdict"), [(2.0, PASSED), (2.1, FAILED)])
def test_a_price_may_reach_its_bound(figure: float, verdict: SloVerdict) -> None:
    row = results({"usd_per_million": 2}, usd_per_million=figure)["usd_per_million"]
    assert (row.verdict, row.figure, row.bound) == (verdict, figure, 2)


@pytest.mark.parametrize(("now", "verdict"), [(150.0, PASSED), (151.0, FAILED)])
def test_a_cold_start_and_a_price_may_exceed_the_records_by_the_bound(now: float, verdict: SloVerdict) -> None:
    relative = {"relative": Relative(cold_start=0.5, cost=0.5)}
    measured: dict[str, Any] = {"cold_starts_ms": (50.0, now), "usd_per_million": now}
    rows = results(relative, record_cold_start_ms=100.0, record_usd_per_million=100.0, **measured)
    assert [row.verdict for row in rows.values()] == [verdict, verdict]
    assert [row.figure for row in rows.values()] == pytest.approx([now / 100 - 1] * 2)
    assert list(rows) == ["cold_start_relative", "cost_relative"]


def test_a_record_of_zero_or_a_run_without_cold_starts_compares_nothing() -> None:
    relative = {"relative": Relative(cold_start=0.5, cost=0.5)}
    assert results(relative, cold_starts_ms=(1.0,), usd_per_million=1.0, record_usd_per_million=0.0) == {}
    assert results(relative, cold_starts_ms=(), record_cold_start_ms=1.0) == {}


def test_good_answers_a_second_of_a_run_without_duration_are_none() -> None:
    row = results({"rps": 1}, duration_s=0.0)["rps"]
    assert (row.verdict, row.figure) == (FAILED, 0.0)


def test_the_interval_of_cold_starts_is_from_the_quickest_to_the_slowest() -> None:
    row = results({"cold_start_ms": 300}, cold_starts_ms=(200.0, 100.0, 300.0))["cold_start_ms"]
    assert (row.verdict, row.figure, row.interval) == (PASSED, 300.0, (100.0, 300.0))


def test_a_run_compared_with_itself_has_a_slowdown_of_zero() -> None:
    row = slower_than(SECONDS, SECONDS, 0.2, "s")
    assert (row.verdict, row.figure, row.interval) == (PASSED, 0, (0, 0))


@pytest.mark.parametrize("slow", [400, 600])
def test_a_slowdown_compares_medians(slow: int) -> None:
    """Below half of the requests twice as slow change no median; above half, the whole of it."""
    after = {0: samples((100, 1_000 - slow), (200, slow))}
    assert slower_than({0: samples((100, 1_000))}, after, 0.2, "s").figure == (1.0 if slow > 500 else 0.0)


@pytest.mark.parametrize(
    ("figure", "interval", "verdict"),
    [
        (0.15, (0.05, 0.3), PASSED),  # not above the noise
        (0.15, (0.06, 0.9 * 0.2), FAILED),  # reaches nine tenths of the bound
        (0.2, (0.0, 0.4), PASSED),  # the bound itself
    ],
)
def test_a_slowdown_at_a_limit(figure: float, interval: tuple[float, float], verdict: SloVerdict) -> None:
    assert judge_slowdown(figure, interval, 0.2).verdict is verdict


def test_a_row_is_rounded_to_four_digits_and_says_why_it_did_not_pass() -> None:
    row = SloResult("p99_ms", FAILED, 20, 23.45678, (21.98765, None), "beyond").as_row()
    assert (row.figure, row.interval, row.verdict, row.why) == (23.46, (21.99, None), "FAILED", "beyond")
    bare = SloResult("p99_ms", PASSED, 20, None).as_row()
    assert (bare.figure, bare.interval, bare.why) == (None, None, None)


def test_all_must_pass() -> None:
    good, bad = SloResult("rps", PASSED, 1, 2), SloResult("rps", INCONCLUSIVE, 1, None)
    assert (passed([]), passed([good]), passed([good, bad]), passed([bad])) == (True, True, False, False)


def test_no_answer_is_no_evidence() -> None:
    (row,) = judge(Figures(0, 0, 10.0, Histogram(), {}), Slo(**OFF), None, "s")
    assert (row.slo, row.verdict, row.figure, row.why) == ("error_rate", INCONCLUSIVE, None, "no request was answered")
