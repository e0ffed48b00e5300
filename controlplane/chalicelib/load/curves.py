"""What the report draws of a load test: percentile curve, histogram, and figures second by second. Pure.

The load test stores them beside the report, so that the Lambda that draws reads some kilobytes and no histograms; the
shards are gone by then.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil, log10

from .histogram import Histogram, add, middle
from .shard import Summary

_SHARES = (0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999, 0.9995, 0.9999, 0.99999)
_BINS = 36
_WINDOWS = 60  # most windows of a run that are drawn


@dataclass(frozen=True, slots=True)
class Window:
    """Some seconds of a run, from `second` on. good: answers; failed: requests by kind of failure.

    p50_ms, p99_ms: of the answers' response times; None without an answer.
    """

    second: int = 0
    good: int = 0
    failed: Mapping[str, int] = field(default_factory=dict)
    p50_ms: float | None = None
    p99_ms: float | None = None


@dataclass(frozen=True, slots=True)
class Curve:
    """One side. percentiles: (share of the answers, ms that it did not exceed); counts: answers in each bin."""

    percentiles: tuple[tuple[float, float], ...] = ()
    counts: tuple[int, ...] = ()
    windows: tuple[Window, ...] = ()


@dataclass(frozen=True, slots=True)
class Curves:
    """edges_ms: of the histogram's bins, one more than there are bins, equally wide on a logarithmic scale.

    window_s: seconds of each window. live: None when the live version was not driven.
    """

    edges_ms: tuple[float, ...] = ()
    window_s: int = 1
    candidate: Curve = Curve()
    live: Curve | None = None


def key(deployment_id: str) -> str:
    """Where a deployment's curves are in the control plane's bucket: as long as its report."""
    return f"reports/{deployment_id}/curves.json"


def curves_of(candidate: Summary, live: Summary | None) -> Curves:
    """Both sides with the same bins and windows."""
    sides = [candidate] if live is None else [candidate, live]
    edges = _edges([side.response for side in sides])
    seconds = {second for side in sides for second in (*side.by_second, *side.failures)}
    window_s = max(1, ceil((max(seconds, default=0) + 1) / _WINDOWS))
    drawn = [_curve(side, edges, window_s) for side in sides]
    return Curves(edges, window_s, drawn[0], drawn[1] if live else None)


def _curve(summary: Summary, edges: Sequence[float], window_s: int) -> Curve:
    return Curve(_percentiles(summary.response), _counts(summary.response, edges), tuple(_windows(summary, window_s)))


def _percentiles(histogram: Histogram) -> tuple[tuple[float, float], ...]:
    """Up to the share that the number of samples resolves; the last point is the longest answer."""
    total = histogram.total
    shares = [share for share in _SHARES if total and (1 - share) * total >= 1 - 1e-9]
    points = [(share, histogram.percentile(share) or 0.0) for share in shares]
    if total > 1:
        points.append((1 - 1 / (2 * total), histogram.maximum() or 0.0))
    return tuple((round(share, 6), round(us / 1_000, 3)) for share, us in points)


def _edges(histograms: Iterable[Histogram]) -> tuple[float, ...]:
    """From the shortest to the longest answer of all, in ms; () without answers."""
    filled = [index for histogram in histograms for index, count in enumerate(histogram.counts) if count]
    if not filled:
        return ()
    low, high = (max(0.001, middle(index) / 1_000) for index in (min(filled), max(filled)))
    low, high = log10(low * 0.98), log10(high * 1.02)
    return tuple(float(f"{10 ** (low + (high - low) * at / _BINS):.5g}") for at in range(_BINS + 1))


def _counts(histogram: Histogram, edges: Sequence[float]) -> tuple[int, ...]:
    if not edges:
        return ()
    counts = [0] * (len(edges) - 1)
    low, width = log10(edges[0]), (log10(edges[-1]) - log10(edges[0])) / len(counts)
    for index, count in enumerate(histogram.counts):
        if count:
            at = int((log10(max(0.001, middle(index) / 1_000)) - low) / width)
            counts[min(max(at, 0), len(counts) - 1)] += count
    return tuple(counts)


def _windows(summary: Summary, window_s: int) -> Iterable[Window]:
    last = max([*summary.by_second, *summary.failures], default=-1)
    for first in range(0, last + 1, window_s):
        seconds = range(first, first + window_s)
        times = add([Histogram(), *(each for at, each in summary.by_second.items() if at in seconds)])
        failed = _failed(summary, seconds)
        # A request that timed out is in both: see Recorder.
        good = max(0, times.total - failed.get("timeout", 0))
        yield Window(first, good, failed, _ms(times.percentile(0.5)), _ms(times.percentile(0.99)))


def _failed(summary: Summary, seconds: range) -> dict[str, int]:
    """By kind; `failed` for those of a shard of an earlier version, which does not say which kind."""
    kinds = {
        kind: sum(count for at, count in by_second.items() if at in seconds)
        for kind, by_second in summary.failed_as.items()
    }
    rest = sum(count for at, count in summary.failures.items() if at in seconds) - sum(kinds.values())
    return {kind: count for kind, count in (kinds | {"failed": rest}).items() if count > 0}


def _ms(us: float | None) -> float | None:
    return None if us is None else round(us / 1_000, 3)
