"""Histograms as the figures of the evidence."""

from __future__ import annotations

from chalicelib.domain.evidence.load import Percentiles

from .histogram import Histogram


def percentiles(histogram: Histogram) -> Percentiles:
    """p50, p90, p99, p99.9 and the maximum, in milliseconds; None without samples."""
    p50, p90, p99, p999 = (_ms(histogram.percentile(share)) for share in (0.5, 0.9, 0.99, 0.999))
    return Percentiles(p50, p90, p99, p999, _ms(histogram.maximum()))


def _ms(us: float | None) -> float | None:
    return None if us is None else round(us / 1_000, 3)
