"""Judges a load test: each SLO with its bound, the figure, how far the figure can be trusted, and the verdict.

A figure within its bound passes; one beyond it fails when its whole interval lies beyond; else the samples are too few
to tell, and INCONCLUSIVE does not pass.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from chalicelib.domain.config import Slo
from chalicelib.load.histogram import Histogram

from .intervals import quantile_interval, ratio_interval, samples_for, share_interval

UNSENT_LIMIT = 0.01  # beyond this the generator itself was too slow for its figures to mean anything
P99 = 0.99
COMPARISON_SAMPLES = 200  # on either side; fewer cannot tell 20 % from noise (see tests of the gate)
# A slowdown must be shown to be at least this large: two runs of the same code are never quite the same.
NOISE = 0.05


class Judgement(StrEnum):
    PASSED = "PASSED"
    FAILED = "FAILED"
    INCONCLUSIVE = "INCONCLUSIVE"


@dataclass(frozen=True, slots=True)
class Judged:
    """One SLO. interval: 95 %; its upper end is None when the samples do not tell. `why` when it did not pass."""

    slo: str
    judgement: Judgement
    bound: float
    figure: float | None
    interval: tuple[float, float | None] | None = None
    why: str = ""

    def as_evidence(self) -> dict[str, Any]:
        told: dict[str, Any] = {
            "slo": self.slo,
            "verdict": self.judgement.value,
            "bound": self.bound,
            "figure": _round(self.figure),
        }
        if self.interval:
            told["interval"] = [_round(end) for end in self.interval]
        return {**told, "why": self.why} if self.why else told

    def __str__(self) -> str:
        interval = list(self.interval or ())
        ends = f" (95 %: {_round(interval[0])} to {_round(interval[1]) or '?'})" if interval else ""
        figure = f"{self.slo} {self.judgement}: {_round(self.figure)}{ends}, bound {self.bound}"
        return f"{figure}: {self.why}" if self.why else figure


@dataclass(frozen=True, slots=True)
class Figures:
    """What is judged. by_second: response times from when requests were due.

    cold_starts_ms: init durations; None when none were asked for, empty when they were and none was seen.
    """

    good: int
    failed: int
    duration_s: float
    response: Histogram
    by_second: Mapping[int, Histogram]
    cold_starts_ms: Sequence[float] | None = None


def judge(figures: Figures, slo: Slo, baseline: Mapping[int, Histogram] | None, seed: str) -> list[Judged]:
    """Every SLO that is set, in a fixed order."""
    judged = []
    if slo.p99_ms is not None:
        judged.append(_p99(figures, slo.p99_ms))
    judged.append(_error_rate(figures, slo.error_rate))
    if slo.rps is not None:
        judged.append(_rps(figures, slo.rps))
    if slo.cold_start_ms is not None and figures.cold_starts_ms is not None:
        judged.append(_cold_start(figures.cold_starts_ms, slo.cold_start_ms))
    if slo.slowdown is not None and baseline is not None:
        judged.append(slower_than(baseline, figures.by_second, slo.slowdown, seed))
    return judged


def passed(judged: Sequence[Judged]) -> bool:
    return all(one.judgement is Judgement.PASSED for one in judged)


def slower_than(before: Mapping[int, Histogram], after: Mapping[int, Histogram], bound: float, seed: str) -> Judged:
    """The median against that of the last good run: figure and bound are the share by which it is slower.

    It fails when the slowdown is beyond noise with confidence and the figure nears the bound; the gate must stop a
    release that is slower by `bound` in 19 of 20 runs, so it cannot wait until the whole interval lies beyond.
    """
    fewest = min(sum(one.total for one in side.values()) for side in (before, after))
    if fewest < COMPARISON_SAMPLES:
        why = f"{fewest} samples; a comparison needs {COMPARISON_SAMPLES} on both sides"
        return Judged("slowdown", Judgement.INCONCLUSIVE, bound, None, None, why)
    ratio, low, high = ratio_interval(before, after, 0.5, random.Random(seed))  # noqa: S311 - a bootstrap
    interval = (low - 1, high - 1)
    if low - 1 > min(NOISE, bound / 2):
        return Judged("slowdown", Judgement.FAILED, bound, ratio - 1, interval, "slower than the last good run")
    return Judged("slowdown", Judgement.PASSED, bound, ratio - 1, interval)


def _p99(figures: Figures, bound: float) -> Judged:
    total = figures.response.total
    if total < samples_for(P99):
        why = f"{total} samples; p99 needs {samples_for(P99)}: raise options.load.rps or duration_s"
        return Judged("p99_ms", Judgement.INCONCLUSIVE, bound, None, None, why)
    figure = (figures.response.percentile(P99) or 0) / 1_000
    found = quantile_interval(figures.response, P99)
    interval = (found[0] / 1_000, None if found[1] is None else found[1] / 1_000) if found else None
    return _upper_bound("p99_ms", bound, figure, interval)


def _error_rate(figures: Figures, bound: float) -> Judged:
    total = figures.good + figures.failed
    if not total:
        return Judged("error_rate", Judgement.INCONCLUSIVE, bound, None, None, "no request was answered")
    return _upper_bound("error_rate", bound, figures.failed / total, share_interval(figures.failed, total))


def _rps(figures: Figures, bound: float) -> Judged:
    # The open model offers what it was told to; good answers a second show what came through.
    figure = figures.good / figures.duration_s if figures.duration_s else 0.0
    if figure >= bound:
        return Judged("rps", Judgement.PASSED, bound, figure)
    return Judged("rps", Judgement.FAILED, bound, figure, None, "fewer good answers a second")


def _cold_start(starts_ms: Sequence[float], bound: float) -> Judged:
    if not starts_ms:
        return Judged("cold_start_ms", Judgement.INCONCLUSIVE, bound, None, None, "no cold start was seen")
    slowest = max(starts_ms)
    interval = (min(starts_ms), slowest)
    if slowest <= bound:
        return Judged("cold_start_ms", Judgement.PASSED, bound, slowest, interval)
    return Judged("cold_start_ms", Judgement.FAILED, bound, slowest, interval, "the slowest start is beyond")


def _upper_bound(name: str, bound: float, figure: float, interval: tuple[float, float | None] | None) -> Judged:
    if figure <= bound:
        return Judged(name, Judgement.PASSED, bound, figure, interval)
    if interval is not None and interval[0] > bound:
        return Judged(name, Judgement.FAILED, bound, figure, interval, "beyond the bound with confidence")
    why = "beyond the bound, but not with confidence: more samples would tell"
    return Judged(name, Judgement.INCONCLUSIVE, bound, figure, interval, why)


def _round(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.4g}")
