"""Which memory size to run with: the cheapest that meets the SLOs, and the fastest; as aws-lambda-power-tuning does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from statistics import median
from typing import Any

from chalicelib.domain.config import Slo

from .cost import invocation_usd
from .report_lines import Report


@dataclass(frozen=True, slots=True)
class Measured:
    """One size, in ms. max_memory_mb is None where the platform does not tell. durations_from: REPORT or caller."""

    memory_mb: int
    median_ms: float
    slowest_ms: float
    init_ms: float | None
    max_memory_mb: int | None
    usd_per_million: float
    durations_from: str

    def as_evidence(self) -> dict[str, Any]:
        return {
            "memory_mb": self.memory_mb,
            "median_ms": round(self.median_ms, 2),
            "slowest_ms": round(self.slowest_ms, 2),
            "init_ms": None if self.init_ms is None else round(self.init_ms, 1),
            "max_memory_mb": self.max_memory_mb,
            "usd_per_million": round(self.usd_per_million, 4),
            "durations_from": self.durations_from,
        }


def measured(memory_mb: int, cold: Sequence[Report], warm: Sequence[tuple[Report, float]]) -> Measured:
    """From reports of cold starts, and of warm calls with the ms that the caller saw. Neither may be empty."""
    told = [report.duration_ms for report, _ in warm if report.duration_ms is not None]
    durations = told or [ms for _, ms in warm]
    billed = [report.billed_ms for report, _ in warm if report.billed_ms is not None]
    starts = [report.init_ms for report in cold if report.init_ms is not None]
    memory = [report.max_memory_mb for report in (*cold, *(one for one, _ in warm)) if report.max_memory_mb]
    typical = median(billed) if billed else ceil(median(durations))
    return Measured(
        memory_mb,
        median(durations),
        max(durations),
        max(starts) if starts else None,
        max(memory) if memory else None,
        invocation_usd(memory_mb, typical) * 1_000_000,
        "REPORT" if told else "caller",
    )


def recommend(sizes: Sequence[Measured], slo: Slo) -> dict[str, Any]:
    """`cheapest` that meets the SLOs (None when none does) and `fastest`, as sizes in MB, and why."""
    good = [one for one in sizes if _meets(one, slo)]
    cheapest = min(good, key=lambda one: (one.usd_per_million, one.memory_mb), default=None)
    fastest = min(sizes, key=lambda one: (one.median_ms, one.memory_mb))
    return {
        "cheapest": cheapest.memory_mb if cheapest else None,
        "fastest": fastest.memory_mb,
        "sizes": [one.as_evidence() for one in sizes],
    }


def _meets(one: Measured, slo: Slo) -> bool:
    fast = slo.p99_ms is None or one.slowest_ms <= slo.p99_ms
    # A start that nobody measured cannot be held against a size.
    starts = slo.cold_start_ms is None or one.init_ms is None or one.init_ms <= slo.cold_start_ms
    return fast and starts
