"""Candidate and live in the same seconds: which comparisons there are, and what each one says. Pure.

A median may be slower by a tolerance, a quarter of its bound, before the candidate counts as slower. It then fails
unless it is, with confidence, not as slow as the bound: a release that is slower by the bound is stopped, and one that
is a little slower passes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from chalicelib.domain.evidence.comparison import Compared, Sequence, Split
from chalicelib.domain.options import Slo
from chalicelib.load.histogram import Histogram, add
from chalicelib.load.shard import Summary
from chalicelib.load.windows import paired, slow
from chalicelib.release.sequential import RULES, WITHIN, Rule, added, holds, margin, step, tolerating

WORSE, NOT_WORSE, UNDECIDED = "WORSE", "NOT_WORSE", "UNDECIDED"
TOLERATED = 0.25  # share of the bound
NEAR = 0.9  # share of the bound that counts as reaching it: a total also holds what a release does not change
QUANTILES: Mapping[str, float] = {"p50": 0.5, "p99": 0.99}
SERIES = ("total", "overhead", "first_byte")
_LEAST_LONG_S, _SETTLE_S, _SHORT_SETTLE_S = 8, 2, 1
ENOUGH = 200  # failures' comparison: fewer requests on either side cannot show a rate of 2 %


@dataclass(frozen=True, slots=True)
class Sides:
    """Both runs. settle_s: seconds at the beginning in which environments start; their times are not compared."""

    candidate: Summary
    live: Summary
    settle_s: int = 0


def settle_s(duration_s: float) -> int:
    """Seconds in which a load's environments start: a start is no slowness of a release, and has an SLO of its own."""
    return _SETTLE_S if duration_s >= _LEAST_LONG_S else _SHORT_SETTLE_S


def compare(sides: Sides, slo: Slo, before: Iterable[Compared] = ()) -> tuple[Compared, ...]:
    """Every comparison that `slo.relative` asks for and the runs allow, continued from `before`."""
    earlier = {comparison.metric: comparison for comparison in before}
    results = []
    if slo.relative.errors is not None:
        results.append(after_windows(earlier.get("errors", Compared("errors")), tables(sides), slo.relative.errors))
    for series, bound in _bounds(slo).items():
        if bound is None or series not in sides.candidate.series or series not in sides.live.series:
            continue
        for name in QUANTILES:
            metric = f"{series}_{name}"
            results.append(_times(sides, series, name, bound, earlier.get(metric, Compared(metric))))
    current = {result.metric for result in results}
    return (*results, *(old for metric, old in earlier.items() if metric not in current))


def _bounds(slo: Slo) -> Mapping[str, float | None]:
    return {"total": slo.total_slower, "overhead": slo.relative.overhead, "first_byte": slo.relative.first_byte}


def worse(comparisons: Iterable[Compared]) -> list[Compared]:
    """Those that stop the release."""
    return [comparison for comparison in comparisons if comparison.verdict == WORSE]


def tables(sides: Sides) -> list[Split]:
    """Requests and failures of both sides, by second."""
    ours, theirs = _answers(sides.candidate), _answers(sides.live)
    failed, also = sides.candidate.failures, sides.live.failures
    seconds = sorted({*ours, *theirs, *failed, *also})
    return [
        Split(
            ours.get(second, 0) + failed.get(second, 0),
            failed.get(second, 0),
            theirs.get(second, 0) + also.get(second, 0),
            also.get(second, 0),
        )
        for second in seconds
    ]


def total_of(windows: Iterable[Split]) -> Split:
    """All windows together."""
    total = Split()
    for window in windows:
        total = added(total, window)
    return total


def _answers(summary: Summary) -> dict[int, int]:
    """Good answers by second. An answer is in `total` or, as a stream, in `first_byte`."""
    counts: dict[int, int] = {}
    for series in ("total", "first_byte"):
        for second, histogram in summary.series.get(series, {}).items():
            counts[second] = counts.get(second, 0) + histogram.total
    return counts


def after_windows(before: Compared, windows: Iterable[Split], more_often: float) -> Compared:
    """The comparison of failures after more windows. more_often: share by which the candidate may fail more often."""
    sequence, rule = before.worse, tolerating(RULES["errors"], 1 + more_often)
    for window in windows:
        sequence = step(sequence, window, rule)
    total = sequence.total
    enough = min(total.candidate, total.live) >= ENOUGH
    verdict = WORSE if sequence.decided_after is not None else NOT_WORSE if enough else UNDECIDED
    return replace(
        before,
        metric="errors",
        verdict=verdict,
        rule="the candidate fails more often than live" + (f" by {more_often * 100:.3g} %" if more_often else ""),
        unit="share",
        candidate=_share(total.candidate_hits, total.candidate),
        live=_share(total.live_hits, total.live),
        bound=more_often,
        needed=round(rule.needed, 1),
        more=_more(sequence, "failures", margin(sequence, rule)),
        worse=sequence,
    )


def _share(hits: int, count: int) -> float | None:
    return hits / count if count else None


def _times(sides: Sides, series: str, name: str, bound: float, before: Compared) -> Compared:
    share, rule = QUANTILES[name], RULES[before.metric]
    ours, theirs = sides.candidate.series[series], sides.live.series[series]
    tolerance = TOLERATED * bound
    sequence, within = before.worse, before.within
    for candidate, live in paired(ours, theirs, share, sides.settle_s):
        splits = slow(candidate, live, share, tolerance), slow(candidate, live, share, NEAR * bound)
        sequence, within = advance(sequence, within, *splits, rule)
    return replace(
        before,
        verdict=_verdict(sequence, within),
        rule=f"the candidate's {name} of {_WORDS[series]} is slower than live's by more than {tolerance * 100:.3g} %",
        unit="ms",
        candidate=_quantile(ours, share, sides.settle_s),
        live=_quantile(theirs, share, sides.settle_s),
        tolerance=tolerance,
        bound=bound,
        needed=round(rule.needed, 1),
        more=_more(sequence, "slow answers", margin(sequence, rule)),
        worse=sequence,
        within=replace(within, points=()),
    )


def advance(
    worse: Sequence, within: Sequence, tolerated: Split, bounded: Split, rule: Rule
) -> tuple[Sequence, Sequence]:
    """Both tests of a quantile after one more window. Proof of being within the bound suspends the other test.

    tolerated, bounded: the window with live slowed by the tolerance and by the bound.
    """
    within = step(within, _mirrored(bounded), WITHIN)
    after = step(worse, tolerated, rule)
    exempt = worse.decided_after is None and holds(within, WITHIN)
    return replace(after, decided_after=None) if exempt else after, within


_WORDS = {"total": "whole answers", "overhead": "the proxy's overhead", "first_byte": "the first byte"}


def _verdict(sequence: Sequence, within: Sequence) -> str:
    if sequence.decided_after is not None:
        return WORSE
    return NOT_WORSE if holds(within, WITHIN) else UNDECIDED


def _mirrored(split: Split) -> Split:
    """The same window with the sides exchanged: is live, slowed by the bound, slower than the candidate?"""
    return Split(split.live, split.live_hits, split.candidate, split.candidate_hits)


def _quantile(by_second: Mapping[int, Histogram], share: float, after_s: int) -> float | None:
    """In milliseconds."""
    us = add([Histogram(), *(each for second, each in by_second.items() if second >= after_s)]).percentile(share)
    return None if us is None else float(f"{us / 1_000:.4g}")


def _more(sequence: Sequence, hits: str, count: int) -> str:
    """What would have changed the verdict."""
    if not count:
        return "requests of both sides would have begun the test"
    if sequence.decided_after is None:
        return f"{count} more {hits} of the candidate would have stopped it"
    return f"{count} fewer {hits} of the candidate would have left it undecided"
