"""The figures of a memory size, and which sizes are recommended."""

from __future__ import annotations

from dataclasses import replace

import pytest
from chalicelib.domain.evidence.load import SizeRow
from chalicelib.domain.options import Slo
from chalicelib.phases.load_test.report_lines import Report
from chalicelib.phases.load_test.tuning import cold_starts, measured, recommend

COLD = [Report(900, 901, 90, 210.26, "REPORT"), Report(700, 701, 80, 190.14, "REPORT")]
WARM = [(Report(10.004, 11, 95), 50.0), (Report(20.009, 21, 99), 70.0)]
SLO = Slo(p99_ms=100, cold_start_ms=500)


def size(memory_mb: int, **other: float | None) -> SizeRow:
    return replace(SizeRow(memory_mb, 10.0, 20.0, 200.0, 90, 1.0, "REPORT"), **other)  # type: ignore[arg-type]


def test_a_size_has_the_figures_of_its_report_lines() -> None:
    # The median of what is billed is 16 ms: (0.2 + 0.5 * 0.016 * 13.3334) USD for a million.
    assert measured(512, COLD, WARM) == SizeRow(512, 15.01, 20.01, 210.3, 99, 0.3067, "REPORT")


def test_without_report_lines_the_callers_times_count_rounded_up_to_what_is_billed() -> None:
    warm = [(Report(), 50.3), (Report(), 70.118)]
    # The median is 60.209 ms; Lambda bills 61 ms: 0.2 + 0.061 * 13.3334 USD for a million.
    assert measured(1_024, [Report()], warm) == SizeRow(1_024, 60.21, 70.12, None, None, 1.0133, "caller")


def test_the_price_is_that_of_a_million_invocations() -> None:
    slow = [(Report(60_000, 60_000, 95), 0.0)]
    assert measured(10_240, COLD, slow).usd_per_million == 8000.24  # 0.2 + 10 * 60 * 13.3334


def test_cold_starts_are_rounded_to_a_tenth_of_a_millisecond_with_their_sources() -> None:
    starts = cold_starts([*COLD, Report(init_ms=1.0, init_from="proxy"), Report(init_from="proxy")])
    assert (starts.durations_ms, starts.sources) == ((210.3, 190.1, 1.0), ("REPORT", "proxy"))
    assert starts.max_memory_mb == 90
    assert cold_starts([Report()]).max_memory_mb is None


def test_the_cheapest_that_meets_the_slos_and_the_fastest_are_recommended() -> None:
    cheap_but_slow = size(128, slowest_ms=101.0, usd_per_million=0.5)
    good = size(256, usd_per_million=0.9)
    fast = size(1_024, median_ms=5.0, usd_per_million=3.0)
    tuning = recommend([cheap_but_slow, good, fast], SLO)
    assert (tuning.cheapest, tuning.fastest, tuning.sizes) == (256, 1_024, (cheap_but_slow, good, fast))


def test_of_equal_sizes_the_smaller_is_recommended() -> None:
    tuning = recommend([size(512), size(256)], SLO)
    assert (tuning.cheapest, tuning.fastest) == (256, 256)


@pytest.mark.parametrize(
    ("figures", "slo", "meets"),
    [
        ({"slowest_ms": 100.0}, SLO, True),
        ({"slowest_ms": 100.1}, SLO, False),
        ({"slowest_ms": 100.1}, Slo(p99_ms=None), True),
        ({"init_ms": 500.0}, SLO, True),
        ({"init_ms": 500.1}, SLO, False),
        ({"init_ms": 500.1}, Slo(p99_ms=100, cold_start_ms=None), True),
        ({"init_ms": None}, SLO, True),
    ],
)
def test_a_size_meets_the_slos_up_to_their_bounds(figures: dict[str, float | None], slo: Slo, meets: bool) -> None:
    assert recommend([size(256, **figures)], slo).cheapest == (256 if meets else None)
