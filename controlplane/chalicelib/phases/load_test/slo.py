"""Judges a load test by its SLOs: each with its bound, the figure, its confidence interval and the verdict.

A figure within its bound passes. A figure beyond it fails when its whole interval is beyond; otherwise the samples are
too few, and INCONCLUSIVE does not pass.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from chalicelib.domain.evidence.load import SloRow
from chalicelib.domain.options import COMPARISON_SAMPLES, Slo
from chalicelib.load.histogram import Histogram

from . import what_if
from .intervals import quantile_interval, ratio_interval, samples_for, share_interval

UNSENT_LIMIT = 0.01  # above this share the generator was too slow for its figures to mean anything
P99 = 0.99
# Two runs of the same code differ by a few percent: a smaller slowdown is no evidence, unless the bound is smaller yet.
NOISE = 0.05
# The median holds what a release does not change (gateway, network), so its own slowdown shows a little reduced.
NEAR = 0.9
_TOO_FEW = "more samples are needed to decide"


class SloVerdict(StrEnum):
    PASSED = "PASSED"
    FAILED = "FAILED"
    INCONCLUSIVE = "INCONCLUSIVE"


@dataclass(frozen=True, slots=True)
class SloResult:
    """One SLO. interval: 95 %; its upper end is None when there are too few samples. why: when it did not pass.

    samples: how many the figure is of, None for a price; more: what would have changed the verdict.
    """

    slo: str
    verdict: SloVerdict
    bound: float
    figure: float | None
    interval: tuple[float, float | None] | None = None
    why: str = ""
    samples: int | None = None
    more: str = ""

    def as_row(self) -> SloRow:
        """For the record, rounded to four significant digits."""
        interval = None if self.interval is None else (_rounded(self.interval[0]), _rounded_or_none(self.interval[1]))
        figure, why = _rounded_or_none(self.figure), self.why or None
        verdict = self.verdict.value
        return SloRow(self.slo, verdict, self.bound, figure, interval, why, self.samples, self.more)


@dataclass(frozen=True, slots=True)
class Figures:
    """What is judged. by_second: response times by the second in which requests were due.

    response: what p99_ms judges: without the upstream's own time where the proxy reports it. overhead, first_byte:
    None where they were not measured. cold_starts_ms: init durations; None when none were forced, empty when none was
    observed. usd_per_million: price of a million requests. record_*: the same of the last run that was applied.
    """

    good: int
    failed: int
    duration_s: float
    response: Histogram
    by_second: Mapping[int, Histogram]
    cold_starts_ms: Sequence[float] | None = None
    overhead: Histogram | None = None
    first_byte: Histogram | None = None
    usd_per_million: float | None = None
    record_cold_start_ms: float | None = None
    record_usd_per_million: float | None = None


def judge(figures: Figures, slo: Slo, baseline: Mapping[int, Histogram] | None, seed: str) -> list[SloResult]:
    """Every SLO that is set, in a fixed order. baseline: the last good run by second; seed: of the bootstrap."""
    results = []
    # A stream ends when the model ends, so its first byte is judged instead of its end.
    times = (
        ("p99_ms", slo.p99_ms, None if figures.first_byte else figures.response),
        ("first_byte_p99_ms", slo.first_byte_p99_ms, figures.first_byte),
        ("overhead_p99_ms", slo.overhead_p99_ms, figures.overhead),
    )
    for name, bound, histogram in times:
        if bound is not None and histogram is not None:
            results.append(_p99(name, histogram, bound))
    results.append(_error_rate(figures, slo.error_rate))
    if slo.rps is not None:
        results.append(_rps(figures, slo.rps))
    if slo.cold_start_ms is not None and figures.cold_starts_ms is not None:
        results.append(_cold_start(figures.cold_starts_ms, slo.cold_start_ms))
    if slo.usd_per_million is not None and figures.usd_per_million is not None:
        results.append(_at_most("usd_per_million", figures.usd_per_million, slo.usd_per_million))
    results += _against_record(figures, slo)
    if slo.slowdown is not None and baseline is not None:
        results.append(slower_than(baseline, figures.by_second, slo.slowdown, seed))
    return results


def _against_record(figures: Figures, slo: Slo) -> list[SloResult]:
    """Slowest cold start and price against the last run's. Figure and bound: the share by which they are higher."""
    start = max(figures.cold_starts_ms, default=None) if figures.cold_starts_ms else None
    pairs = (
        ("cold_start_relative", slo.relative.cold_start, start, figures.record_cold_start_ms),
        ("cost_relative", slo.relative.cost, figures.usd_per_million, figures.record_usd_per_million),
    )
    return [
        _at_most(name, figure / record - 1, bound)
        for name, bound, figure, record in pairs
        if bound is not None and figure is not None and record
    ]


def _at_most(name: str, figure: float, bound: float) -> SloResult:
    more = what_if.of_figure(figure, bound)
    if figure <= bound:
        return SloResult(name, SloVerdict.PASSED, bound, figure, more=more)
    return SloResult(name, SloVerdict.FAILED, bound, figure, None, "beyond the bound", more=more)


def passed(results: Sequence[SloResult]) -> bool:
    """Whether every SLO passed."""
    return all(result.verdict is SloVerdict.PASSED for result in results)


def slower_than(before: Mapping[int, Histogram], after: Mapping[int, Histogram], bound: float, seed: str) -> SloResult:
    """The median against that of the last good run. Figure and bound: the share by which it is slower, 0.2 for 20 %."""
    fewest = min(sum(histogram.total for histogram in side.values()) for side in (before, after))
    if fewest < COMPARISON_SAMPLES:
        why = f"{fewest} samples; a comparison needs {COMPARISON_SAMPLES} on both sides"
        return SloResult("slowdown", SloVerdict.INCONCLUSIVE, bound, None, None, why, fewest)
    ratio, low, high = ratio_interval(before, after, 0.5, random.Random(seed))  # noqa: S311 - a bootstrap
    return replace(judge_slowdown(ratio - 1, (low - 1, high - 1), bound), samples=fewest)


def judge_slowdown(figure: float, interval: tuple[float, float], bound: float) -> SloResult:
    """FAILED when the release is slower with confidence, and may be slower by the bound.

    A release that is slower by the bound must be stopped in 19 of 20 runs, so the rule cannot wait until the whole
    interval is beyond the bound: it asks whether the interval reaches it.
    """
    low, high = interval
    least = min(NOISE, bound / 2)
    more = f"an interval above {least * 100:.3g} % that reaches {NEAR * bound * 100:.3g} % stops it"
    verdict, why = SloVerdict.PASSED, ""
    if low > least and high >= NEAR * bound:
        verdict, why = SloVerdict.FAILED, "slower than the last good run"
    elif figure > max(NOISE, bound):
        verdict, why = SloVerdict.INCONCLUSIVE, _TOO_FEW
    return SloResult("slowdown", verdict, bound, figure, interval, why, more=more)


def _p99(name: str, histogram: Histogram, bound: float) -> SloResult:
    total = histogram.total
    if total < samples_for(P99):
        why = f"{total} samples; p99 needs {samples_for(P99)}: raise options.load.rps or duration_s"
        return SloResult(name, SloVerdict.INCONCLUSIVE, bound, None, None, why, total)
    figure = (histogram.percentile(P99) or 0) / 1_000
    ends_us = quantile_interval(histogram, P99)
    interval = None if ends_us is None else (ends_us[0] / 1_000, None if ends_us[1] is None else ends_us[1] / 1_000)
    result = judge_upper_bound(name, bound, figure, interval)
    return replace(result, samples=total, more=what_if.of_quantile(histogram, P99, bound))


def _error_rate(figures: Figures, bound: float) -> SloResult:
    total = figures.good + figures.failed
    if not total:
        return SloResult("error_rate", SloVerdict.INCONCLUSIVE, bound, None, None, "no request was answered")
    result = judge_upper_bound("error_rate", bound, figures.failed / total, share_interval(figures.failed, total))
    return replace(result, samples=total, more=what_if.of_failures(figures.failed, total, bound))


def _rps(figures: Figures, bound: float) -> SloResult:
    # An open model sends at the planned rate, so only good answers show what the release sustains.
    figure = figures.good / figures.duration_s if figures.duration_s else 0.0
    more = what_if.of_rate(figures.good, figures.duration_s, bound)
    if figure >= bound:
        return SloResult("rps", SloVerdict.PASSED, bound, figure, None, "", figures.good, more)
    return SloResult("rps", SloVerdict.FAILED, bound, figure, None, "too few good answers a second", figures.good, more)


def _cold_start(starts_ms: Sequence[float], bound: float) -> SloResult:
    if not starts_ms:
        return SloResult("cold_start_ms", SloVerdict.INCONCLUSIVE, bound, None, None, "no cold start was observed")
    slowest = max(starts_ms)
    interval, more = (min(starts_ms), slowest), what_if.of_starts(starts_ms, bound)
    verdict, why = SloVerdict.PASSED, ""
    if slowest > bound:
        verdict, why = SloVerdict.FAILED, "the slowest start is beyond the bound"
    return SloResult("cold_start_ms", verdict, bound, slowest, interval, why, len(starts_ms), more)


def judge_upper_bound(slo: str, bound: float, figure: float, interval: tuple[float, float | None] | None) -> SloResult:
    """A figure that must not exceed `bound`."""
    if figure <= bound:
        return SloResult(slo, SloVerdict.PASSED, bound, figure, interval)
    if interval is not None and interval[0] > bound:
        return SloResult(slo, SloVerdict.FAILED, bound, figure, interval, "beyond the bound with confidence")
    return SloResult(slo, SloVerdict.INCONCLUSIVE, bound, figure, interval, _TOO_FEW)


def _rounded(value: float) -> float:
    return float(f"{value:.4g}")


def _rounded_or_none(value: float | None) -> float | None:
    return None if value is None else _rounded(value)
