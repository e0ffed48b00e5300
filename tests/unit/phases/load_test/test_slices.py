"""Slices, costs and memory sizes of a load test."""

from __future__ import annotations

from itertools import pairwise

import pytest
from chalicelib.domain.config import Config
from chalicelib.domain.errors import BadRequest
from chalicelib.domain.evidence.load import SizeRow
from chalicelib.domain.options import Load, Options, Slo
from chalicelib.phases.load_test.cost import estimate_usd, guard, invocation_usd
from chalicelib.phases.load_test.report_lines import Report, read
from chalicelib.phases.load_test.slices import ahead_s, slices_of
from chalicelib.phases.load_test.tuning import measured, recommend

REPORT = (
    "START RequestId: 1 Version: 7\nEND RequestId: 1\n"
    "REPORT RequestId: 1\tDuration: 12.34 ms\tBilled Duration: 13 ms\tMemory Size: 512 MB\tMax Memory Used: 44 MB"
)
OWN = '{"level":"INFO","ColdStart":[1.0],"InitDuration":[135.3],"_aws":{}}'


@pytest.mark.parametrize(
    ("duration", "workers", "count"),
    [(4, 1, 1), (60, 1, 1), (61, 1, 2), (3_600, 1, 60), (61, 2, 1), (200, 2, 1), (201, 2, 2)],
)
def test_slices_cover_the_whole_run_once_and_fit_a_lambda(duration: float, workers: int, count: int) -> None:
    parts = slices_of(Load(duration_s=duration, workers=workers))
    assert len(parts) == count
    assert parts[0].starts_at_s == 0
    assert parts[-1].window[1] == duration
    assert all(before.window[1] == after.starts_at_s for before, after in pairwise(parts))
    assert all(0 < part.duration_s <= 200 for part in parts)


def test_the_more_workers_the_further_ahead_the_start() -> None:
    assert ahead_s(1) < ahead_s(2) < ahead_s(100) <= ahead_s(1_000) == 30


def test_a_run_is_priced_by_gateway_proxy_tokens_and_workers() -> None:
    """10,000 requests: 0.035 gateway, 0.002 + 0.0667 Lambda at 512 MB for a second, 6.40 for 640,000 tokens at $10."""
    cost = estimate_usd(Load(workers=1, duration_s=1), Config(memory_mb=512), 10.0, 10_000)
    assert cost == pytest.approx(0.035 + 0.002 + 0.066667 + 6.4, rel=0.001)


def test_a_run_without_an_upstream_pays_no_token() -> None:
    assert estimate_usd(Load(upstream="none"), Config(), 10.0, 10_000) < 0.2


def test_a_run_that_costs_too_much_is_refused_before_it_begins() -> None:
    options = Options(load=Load(rps=1_000, duration_s=60), max_cost_usd=5)
    with pytest.raises(BadRequest) as raised:
        guard(Config(), options, 60_000, tokens_are_free=False)
    assert raised.value.field == "options.max_cost_usd"
    assert "60000 requests" in raised.value.message
    assert guard(Config(), options, 60_000, tokens_are_free=True) < 5


def test_a_run_may_cost_exactly_the_limit() -> None:
    cost = estimate_usd(Load(), Config(), 10.0, 1_000)
    options = Options(load=Load(), max_cost_usd=cost, usd_per_million_tokens=10.0)
    assert guard(Config(), options, 1_000, tokens_are_free=False) == cost
    with pytest.raises(BadRequest):
        guard(Config(), options, 1_001, tokens_are_free=False)


def test_a_report_line_tells_duration_memory_and_init() -> None:
    assert read(REPORT) == Report(12.34, 13.0, 44, None, "")
    assert read(f"{REPORT}\tInit Duration: 210.5 ms\t").init_ms == 210.5
    assert read(f"{REPORT}\tInit Duration: 210.5 ms\t").init_from == "REPORT"


def test_without_an_init_duration_the_proxys_own_metric_counts_and_says_so() -> None:
    assert read(f"{OWN}\n{REPORT}") == Report(12.34, 13.0, 44, 135.3, "proxy")
    assert read(OWN) == Report(init_ms=135.3, init_from="proxy")


def test_lambdas_own_figure_goes_before_the_proxys() -> None:
    assert read(f"{OWN}\n{REPORT}\tInit Duration: 210.5 ms\t").init_ms == 210.5


def test_a_log_that_tells_nothing_reads_as_nothing() -> None:
    assert read('hello\n{"InitDuration": "broken\n') == Report()


def test_zero_megabytes_are_not_a_measurement() -> None:
    assert read(REPORT.replace("44 MB", "0 MB")).max_memory_mb is None


def size(memory_mb: int, ms: float, init_ms: float = 200) -> SizeRow:
    cold = [Report(ms, ms, memory_mb // 4, init_ms, "REPORT")]
    return measured(memory_mb, cold, [(Report(ms, ms, memory_mb // 4), ms + 5)] * 5)


def test_the_cheapest_size_that_meets_the_slos_and_the_fastest_are_recommended() -> None:
    sizes = [size(128, 900), size(256, 400), size(512, 210), size(1_024, 200)]
    tuning = recommend(sizes, Slo(p99_ms=500))
    assert (tuning.cheapest, tuning.fastest) == (256, 1_024)


def test_no_size_is_recommended_as_cheapest_when_none_meets_the_slos() -> None:
    tuning = recommend([size(128, 900), size(256, 400)], Slo(p99_ms=100))
    assert tuning.cheapest is None
    assert tuning.fastest == 256


def test_a_slow_start_disqualifies_a_size() -> None:
    sizes = [size(128, 100, init_ms=6_000), size(512, 100, init_ms=900)]
    assert recommend(sizes, Slo(cold_start_ms=1_000)).cheapest == 512


def test_a_size_may_reach_its_limits_exactly() -> None:
    assert recommend([size(256, 100, init_ms=900)], Slo(p99_ms=100, cold_start_ms=900)).cheapest == 256
    assert recommend([size(256, 100.1, init_ms=900)], Slo(p99_ms=100, cold_start_ms=900)).cheapest is None
    assert recommend([size(256, 100, init_ms=900.1)], Slo(p99_ms=100, cold_start_ms=900)).cheapest is None


def test_a_million_requests_are_priced_as_lambda_bills_them() -> None:
    assert invocation_usd(1_024, 1_000) == pytest.approx(0.0000002 + 0.0000133334)
    assert size(1_024, 1_000).usd_per_million == pytest.approx(0.2 + 13.3334)


def test_without_report_lines_the_callers_own_times_count_and_it_says_so() -> None:
    size_row = measured(256, [Report(init_ms=100.0, init_from="proxy")], [(Report(), 10.0), (Report(), 12.0)])
    assert (size_row.median_ms, size_row.durations_from, size_row.max_memory_mb) == (11.0, "caller", None)
