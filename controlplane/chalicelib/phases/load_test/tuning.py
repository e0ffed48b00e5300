"""Compares memory sizes: the cheapest that meets the SLOs, and the fastest, as aws-lambda-power-tuning does."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from statistics import median

from chalicelib.domain.evidence.load import SizeRow, Tuning
from chalicelib.domain.options import Slo

from .cost import invocation_usd
from .cursor import ColdStarts
from .report_lines import Report


def cold_starts(reports: Sequence[Report]) -> ColdStarts:
    """What the reports say of cold starts."""
    return ColdStarts(
        tuple(round(report.init_ms, 1) for report in reports if report.init_ms is not None),
        tuple(sorted({report.init_from for report in reports})),
        max((report.max_memory_mb for report in reports if report.max_memory_mb), default=None),
    )


def measured(memory_mb: int, cold: Sequence[Report], warm: Sequence[tuple[Report, float]]) -> SizeRow:
    """One size. cold: reports of cold starts; warm: reports of warm calls with the caller's ms. Neither is empty."""
    reported = [report.duration_ms for report, _ in warm if report.duration_ms is not None]
    durations = reported or [ms for _, ms in warm]
    billed = [report.billed_ms for report, _ in warm if report.billed_ms is not None]
    starts = [report.init_ms for report in cold if report.init_ms is not None]
    memory = [report.max_memory_mb for report in (*cold, *(report for report, _ in warm)) if report.max_memory_mb]
    typical = median(billed) if billed else ceil(median(durations))
    return SizeRow(
        memory_mb,
        round(median(durations), 2),
        round(max(durations), 2),
        round(max(starts), 1) if starts else None,
        max(memory) if memory else None,
        round(invocation_usd(memory_mb, typical) * 1_000_000, 4),
        "REPORT" if reported else "caller",
    )


def recommend(sizes: Sequence[SizeRow], slo: Slo) -> Tuning:
    """The cheapest size that meets the SLOs, and the fastest of all; of equal ones the smaller."""
    good = [size for size in sizes if _meets(size, slo)]
    cheapest = min(good, key=lambda size: (size.usd_per_million, size.memory_mb), default=None)
    fastest = min(sizes, key=lambda size: (size.median_ms, size.memory_mb))
    return Tuning(cheapest.memory_mb if cheapest else None, fastest.memory_mb, tuple(sizes))


def _meets(size: SizeRow, slo: Slo) -> bool:
    is_fast = slo.p99_ms is None or size.slowest_ms <= slo.p99_ms
    # A size whose cold start was not measured is not excluded for it.
    starts_fast = slo.cold_start_ms is None or size.init_ms is None or size.init_ms <= slo.cold_start_ms
    return is_fast and starts_fast
