"""A version that serves all users, against the times of the one before."""

from __future__ import annotations

import random

import pytest
from chalicelib.checks.comparison.comparison_words import phrase_record
from chalicelib.checks.comparison.log_lines import VersionLines
from chalicelib.checks.comparison.record_times import Tally, errors_row, extended, tallied, times_rows
from chalicelib.domain.options import Relative, Slo
from chalicelib.load.histogram import Histogram
from chalicelib.release.against_record import ERRORS_ALPHA, TIMES_ALPHA

SLO = Slo()


def times(*ms: float, series: str = "overhead", second: int = 1) -> VersionLines:
    histogram = Histogram()
    for each in ms:
        histogram.record(int(each * 1_000))
    return VersionLines(series={series: {second: histogram}})


def spread(median_ms: float, count: int, seed: str) -> VersionLines:
    chance = random.Random(seed)
    return times(*(median_ms * chance.lognormvariate(0, 0.2) for _ in range(count)))


def verdicts(record: VersionLines, new: VersionLines, slo: Slo = SLO) -> dict[str, str]:
    stored = extended({}, record.series)
    return {row.metric: row.verdict for row in times_rows(tallied((), stored, new.series, slo), stored, slo)}


def test_the_bakes_part_of_the_false_alarms_is_a_fifth() -> None:
    """Two each: of the limit, and of the evidence."""
    assert (ERRORS_ALPHA, TIMES_ALPHA) == (0.0005, 0.000125)
    assert pytest.approx(0.002) == 2 * ERRORS_ALPHA + 4 * 2 * TIMES_ALPHA


def test_a_record_grows_by_series() -> None:
    record = extended({}, times(1.0, 2.0).series)
    record = extended(record, times(3.0, second=9).series)
    record = extended(record, times(5.0, series="first_byte").series)
    assert sorted(record) == ["first_byte", "overhead"]
    assert [tally.count for tally in tallied((), record, {}, SLO)] == [0, 0, 0, 0]
    assert [row.record_count for row in times_rows(tallied((), record, {}, SLO), record, SLO)] == [3, 3, 1, 1]
    assert extended(record, {}) == record


def test_the_threshold_is_the_records_quantile_and_the_bound() -> None:
    record = extended({}, times(*[100.0] * 99, 400.0).series)
    tallies = tallied((), record, times(119.0, 121.0, 479.0, 481.0).series, SLO)
    assert tallies == (Tally("overhead_p50", 3, 4), Tally("overhead_p99", 3, 4))
    median = times_rows(tallies, record, SLO)[0]
    assert (median.record_hits, median.record_count, median.bound) == (1, 100, 0.2)
    assert median.threshold_ms == 120.1  # of 100.1 ms, the middle of the bucket
    short = extended({}, times(*[2.0] * 10).series)
    assert times_rows(tallied((), short, {}, SLO), short, SLO)[0].threshold_ms == 7.003
    empty = extended({}, {"overhead": {}})
    (row, _) = times_rows(tallied((), empty, times(9.0).series, SLO), empty, SLO)
    assert (row.threshold_ms, row.record_count, row.limit, row.verdict) == (5.0, 0, 1.0, "UNDECIDED")


def test_tallies_add_up_and_a_metric_without_a_bound_is_dropped() -> None:
    record = extended({}, times(*[100.0] * 10).series)
    once = tallied((), record, times(200.0, 50.0).series, SLO)
    assert tallied(once, record, times(200.0).series, SLO)[0] == Tally("overhead_p50", 2, 3)
    unbound = Slo(relative=Relative(overhead=None))
    assert tallied(once, record, {}, unbound) == ()
    assert times_rows(once, record, unbound) == []


def test_a_version_that_got_slower_is_worse_and_one_like_the_record_is_not() -> None:
    record = spread(40, 500, "a")
    assert verdicts(record, spread(40, 500, "b")) == {"overhead_p50": "NOT_WORSE", "overhead_p99": "NOT_WORSE"}
    assert verdicts(record, spread(60, 500, "c"))["overhead_p50"] == "WORSE"
    assert verdicts(record, spread(42, 500, "d"))["overhead_p50"] == "NOT_WORSE"


@pytest.mark.parametrize(("count", "verdict"), [(199, "UNDECIDED"), (200, "NOT_WORSE")])
def test_too_few_requests_decide_nothing(count: int, verdict: str) -> None:
    assert verdicts(spread(40, 500, "a"), spread(40, count, "b"))["overhead_p50"] == verdict


def test_no_false_alarm_in_300_bakes() -> None:
    stops = 0
    for number in range(300):
        stops += "WORSE" in verdicts(spread(40, 300, f"a{number}"), spread(40, 300, f"b{number}")).values()
    assert stops <= 1


def test_a_row_explains_itself() -> None:
    row = errors_row(Tally("errors", 30, 1_000), 1, 1_000)
    assert phrase_record(row) == (
        "failures: 3 % of 1,000, before 0.1 % of 1,000 (at most 1 % with 99.95 % confidence): "
        "fail (3 fewer failures would have let it pass)"
    )
    assert (row.needed, row.bound, row.threshold_ms) == (2_000, None, None)
    record = extended({}, times(*[100.0] * 100).series)
    (median, _) = times_rows(tallied((), record, times(130.0, 90.0).series, SLO), record, SLO)
    text = phrase_record(median)
    assert text.startswith("overhead above 120")
    assert "ms (limit 20 % above live's p50): 50 % of 2, before 0 % of 100 (at most 8.6 % with 99.99 %" in text
    assert text.endswith("more slow answers would have stopped it)")
    assert "none of 0" in phrase_record(errors_row(Tally("errors"), 0, 10))
