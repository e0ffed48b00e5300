"""Histograms as the figures of the evidence, and a summary as the series that the report plots."""

from __future__ import annotations

from chalicelib.domain.evidence.load import Percentiles

from .histogram import Histogram
from .shard import Summary


def percentiles(histogram: Histogram) -> Percentiles:
    """p50, p90, p99, p99.9 and the maximum, in milliseconds; None without samples."""
    p50, p90, p99, p999 = (_ms(histogram.percentile(share)) for share in (0.5, 0.9, 0.99, 0.999))
    return Percentiles(p50, p90, p99, p999, _ms(histogram.maximum()))


def series(summary: Summary) -> list[dict[str, object]]:
    """One entry a second, for plots: the second, the count, p50 and p99 in milliseconds."""
    return [
        {
            "second": second,
            "count": histogram.total,
            "p50_ms": _ms(histogram.percentile(0.5)),
            "p99_ms": _ms(histogram.percentile(0.99)),
        }
        for second, histogram in summary.by_second.items()
    ]


def _ms(us: float | None) -> float | None:
    return None if us is None else round(us / 1_000, 3)
