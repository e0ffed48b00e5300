"""A summary as small evidence, and as the series that the report plots."""

from __future__ import annotations

from typing import Any

from .histogram import Histogram
from .shard import Summary

_SHARES = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "p999": 0.999}


def figures_of(summary: Summary, duration_s: float) -> dict[str, Any]:
    """Milliseconds and counts. response: from when a request was due; service: from when it was sent."""
    return {
        "due": summary.due,
        "sent": summary.sent,
        "good": summary.good,
        "unsent": summary.unsent,
        "errors": dict(summary.errors),
        "rps": round(summary.good / duration_s, 2) if duration_s else 0.0,
        "response_ms": percentiles(summary.response),
        "service_ms": percentiles(summary.service),
        "first_byte_ms": percentiles(summary.first_byte),
        "generator_late_ms": percentiles(summary.pacing),
        "split_ms": {name: percentiles(part) for name, part in summary.parts.items()},
        "workers": summary.workers,
        "start_skew_ms": round(summary.start_skew_ms, 1),
        "connections": summary.connections,
    } | _of_streams(summary)


def _of_streams(summary: Summary) -> dict[str, Any]:
    if not summary.events or not summary.streamed_s:
        return {}
    return {"stream_events_per_s": round(summary.events / summary.streamed_s, 1)}


def percentiles(histogram: Histogram) -> dict[str, float | None]:
    """p50, p90, p99, p99.9 and the greatest, in milliseconds."""
    told = {name: _ms(histogram.percentile(share)) for name, share in _SHARES.items()}
    return {**told, "max": _ms(histogram.maximum())}


def series(summary: Summary) -> list[dict[str, Any]]:
    """One entry a second, for plots: when, how many, p50 and p99 in milliseconds."""
    return [
        {
            "second": second,
            "count": one.total,
            "p50_ms": _ms(one.percentile(0.5)),
            "p99_ms": _ms(one.percentile(0.99)),
        }
        for second, one in summary.by_second.items()
    ]


def _ms(us: float | None) -> float | None:
    return None if us is None else round(us / 1_000, 3)
