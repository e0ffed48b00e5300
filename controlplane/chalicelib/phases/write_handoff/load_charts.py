"""The charts of a load test: percentiles, histogram, the course of latency and errors, cold starts, memory sizes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import log10

from chalicelib.domain.evidence.load import LoadEvidence, Tuning
from chalicelib.load.curves import Curve, Curves

from . import charts
from .charts import Axis, Series
from .markup import NOTHING, Markup

_SHARES = (("0 %", 0.0), ("50 %", 0.5), ("90 %", 0.9), ("99 %", 0.99), ("99.9 %", 0.999), ("99.99 %", 0.9999))
_ROUND = tuple(digit * 10**power for power in range(-3, 7) for digit in (1, 2, 5))
_MOST_SHARE = 0.999999
_KINDS = 5  # kinds of errors that have a colour of their own


def sides(curves: Curves) -> list[tuple[str, Curve]]:
    """(role, curve) of candidate and, where it was driven, live."""
    live = [("live", curves.live)] if curves.live else []
    return [("candidate", curves.candidate), *live]


def percentiles(curves: Curves, limit_ms: float | None) -> Markup:
    """Latency by share of the answers: each nine has the same room. limit_ms: the SLO of p99, None for none."""
    series = [
        Series(role, role, [(_nines(share), ms) for share, ms in curve.percentiles])
        for role, curve in sides(curves)
        if curve.percentiles
    ]
    if not series:
        return NOTHING
    last = max(x for each in series for x, _ in each.values)
    labels = tuple((label, _nines(share)) for label, share in _SHARES if _nines(share) <= max(last, 1.0))
    highest = max(y for each in series for _, y in each.values)
    if limit_ms is not None and limit_ms <= 3 * highest:
        series.append(Series("limit of p99", "limit", [(0.0, limit_ms), (last, limit_ms)]))
    return charts.lines("Latency by percentile", Axis("answers", labels), Axis("ms"), series)


def _nines(share: float) -> float:
    return -log10(1 - min(share, _MOST_SHARE))


def histogram(curves: Curves) -> Markup:
    """Share of the answers in each bin, on a logarithmic scale of latency."""
    edges = [log10(edge) for edge in curves.edges_ms]
    series = [
        Series(role, role, list(_bins(curve.counts, edges))) for role, curve in sides(curves) if any(curve.counts)
    ]
    if not series:
        return NOTHING
    labels = tuple((f"{edge:g}", log10(edge)) for edge in _ROUND if edges[0] <= log10(edge) <= edges[-1])
    ends = tuple((f"{10**edge:.3g}", edge) for edge in (edges[0], edges[-1]))
    return charts.bins("Distribution of latency", Axis("ms", labels or ends), Axis("% of answers"), series)


def _bins(counts: Sequence[int], edges: Sequence[float]) -> Iterator[tuple[float, float, float]]:
    total = sum(counts)
    for place, count in enumerate(counts):
        if count:
            yield 100 * count / total, edges[place], edges[place + 1]


def requests(curve: Curve, window_s: int) -> Markup:
    """Good answers a second, with the errors of each kind on top of them."""
    if not curve.windows:
        return NOTHING
    kinds = sorted({kind for window in curve.windows for kind in window.failed})
    shown, others = kinds[:_KINDS], kinds[_KINDS:]
    series = [Series("good", "good-fill", [window.good / window_s for window in curve.windows])]
    for place, kind in enumerate(shown):
        rates = [window.failed.get(kind, 0) / window_s for window in curve.windows]
        series.append(Series(kind, f"error-{place}", rates))
    if others:
        rest = [sum(window.failed.get(kind, 0) for kind in others) / window_s for window in curve.windows]
        series.append(Series("other errors", f"error-{_KINDS}", rest))
    names = [str(window.second) for window in curve.windows]
    return charts.stacked("Requests over time", names, Axis("second"), Axis("requests a second"), series)


def latency(curves: Curves) -> Markup:
    """p50 and p99 over time, of both sides."""
    series = []
    for role, curve in sides(curves):
        for name in ("p50", "p99"):
            points = [(window.second, getattr(window, f"{name}_ms")) for window in curve.windows]
            points = [(at, ms) for at, ms in points if ms is not None]
            if points:
                series.append(Series(f"{role} {name}", f"{role}-{name}", points))
    if not series:
        return NOTHING
    return charts.lines("Latency over time", Axis("second"), Axis("ms"), series)


def cold_starts(load: LoadEvidence, limit_ms: float | None) -> Markup:
    """Each forced cold start, the slowest last. limit_ms: the SLO, None for none."""
    starts = sorted(load.cold_starts_ms or ())
    if not starts:
        return NOTHING
    series = [Series("init", "candidate", starts)]
    if limit_ms is not None and limit_ms <= 3 * starts[-1]:
        series.append(Series("limit", "limit-fill", [limit_ms] * len(starts)))
    names = [str(place + 1) for place in range(len(starts))]
    return charts.bars("Duration of each cold start", names, Axis("cold start"), Axis("ms"), series)


def memory(tuning: Tuning) -> Markup:
    """Median duration (left) and price of a million requests (right) by memory size."""
    sizes = sorted(tuning.sizes, key=lambda size: size.memory_mb)
    series = [
        Series("median ms (left)", "candidate", [size.median_ms for size in sizes]),
        Series("USD per million (right)", "live-fill", [size.usd_per_million for size in sizes], secondary=True),
    ]
    names = [str(size.memory_mb) for size in sizes]
    return charts.bars("Duration and price by memory size", names, Axis("MB"), Axis("ms"), series) if sizes else NOTHING
