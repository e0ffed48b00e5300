"""Candidate and live in the same seconds: which comparisons there are, and what each one says. Pure.

A median may be slower by a tolerance, a quarter of its bound, before the candidate counts as slower. It then fails
unless it is, with confidence, not as slow as the bound: a release that is slower by the bound is stopped, and one that
is a little slower passes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
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
_US_PER_MS = 1_000
_LEAST_LONG_S, _SETTLE_S, _SHORT_SETTLE_S = 8, 2, 1
ENOUGH = 200  # failures' comparison: fewer requests on either side cannot show a rate of 2 %


@dataclass(frozen=True, slots=True)
class Sides:
    """Both runs. settle_s: seconds at the beginning in which environments start; their times are not compared."""

    candidate: Summary
    live: Summary
    settle_s: int = 0


Times = Mapping[str, Mapping[int, Histogram]]


@dataclass(frozen=True, slots=True)
class Bound:
    """slower: share by which the candidate may be slower; least_ms: smaller differences are within the bound."""

    slower: float
    least_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class _Windows:
    """A series of both sides, by second."""

    series: str
    candidate: Mapping[int, Histogram]
    live: Mapping[int, Histogram]
    settle_s: int

    def splits(self, share: float, bound: Bound) -> Iterator[tuple[Split, Split]]:
        """Each window, with live slowed by the tolerance and by the bound."""
        for candidate, live in paired(self.candidate, self.live, share, self.settle_s):
            tolerated, near = (
                slow(candidate, live, share, part * bound.slower, part * bound.least_ms * _US_PER_MS)
                for part in (TOLERATED, NEAR)
            )
            yield tolerated, near


def settle_s(duration_s: float) -> int:
    """Seconds in which a load's environments start: a start is no slowness of a release, and has an SLO of its own."""
    return _SETTLE_S if duration_s >= _LEAST_LONG_S else _SHORT_SETTLE_S


def compare(sides: Sides, slo: Slo, before: Iterable[Compared] = ()) -> tuple[Compared, ...]:
    """Every comparison that `slo.relative` asks for and the runs allow, continued from `before`."""
    earlier = {comparison.metric: comparison for comparison in before}
    if slo.relative.errors is not None:
        earlier["errors"] = after_windows(earlier.get("errors", Compared()), tables(sides), slo.relative.errors)
    return compare_times(sides.candidate.series, sides.live.series, slo, earlier.values(), sides.settle_s)


def compare_times(
    candidate: Times, live: Times, slo: Slo, before: Iterable[Compared] = (), settle_s: int = 0
) -> tuple[Compared, ...]:
    """The comparisons of `before` and all that `slo.relative` asks for of times that both sides have.

    candidate, live: by series (`total`, `overhead`, `first_byte`) and second. settle_s: see Sides.
    """
    results = {comparison.metric: comparison for comparison in before}
    for series, bound in bounds(slo).items():
        if bound is None or series not in candidate or series not in live:
            continue
        windows = _Windows(series, candidate[series], live[series], settle_s)
        for name in QUANTILES:
            metric = f"{series}_{name}"
            results[metric] = _times(windows, name, bound, results.get(metric, Compared(metric)))
    return tuple(results.values())


def bounds(slo: Slo) -> Mapping[str, Bound | None]:
    """How much slower the candidate may be, by series; None where that is not judged."""
    relative = slo.relative
    shares = {"total": slo.total_slower, "overhead": relative.overhead, "first_byte": relative.first_byte}
    least = {"overhead": relative.overhead_least_ms}
    return {name: None if share is None else Bound(share, least.get(name, 0.0)) for name, share in shares.items()}


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


def _times(windows: _Windows, name: str, bound: Bound, before: Compared) -> Compared:
    share, rule, series = QUANTILES[name], RULES[before.metric], windows.series
    tolerance = TOLERATED * bound.slower
    sequence, within = before.worse, before.within
    for tolerated, near in windows.splits(share, bound):
        sequence, within = advance(sequence, within, tolerated, near, rule)
    least = f" and {TOLERATED * bound.least_ms:g} ms" if bound.least_ms else ""
    return replace(
        before,
        verdict=_verdict(sequence, within),
        rule=f"the candidate's {name} of {_WORDS[series]} is slower than live's by more than {tolerance * 100:.3g} %"
        + least,
        unit="ms",
        candidate=_quantile(windows.candidate, share, windows.settle_s, before.candidate),
        live=_quantile(windows.live, share, windows.settle_s, before.live),
        tolerance=tolerance,
        bound=bound.slower,
        least_ms=bound.least_ms,
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


def _quantile(by_second: Mapping[int, Histogram], share: float, after_s: int, before: float | None) -> float | None:
    """In milliseconds; `before` without samples."""
    us = add([Histogram(), *(each for second, each in by_second.items() if second >= after_s)]).percentile(share)
    return before if us is None else float(f"{us / _US_PER_MS:.4g}")


def _more(sequence: Sequence, hits: str, count: int) -> str:
    """What would have changed the verdict."""
    if not count:
        return "requests of both sides would have begun the test"
    if sequence.decided_after is None:
        return f"{count} more {hits} of the candidate would have stopped it"
    return f"{count} fewer {hits} of the candidate would have left it undecided"
