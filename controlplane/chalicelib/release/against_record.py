"""Does a version that serves all users fail more often than the one before did? Pure; may be looked at at any time.

During the bake no live version runs beside. The record is the live version's failures during load test and shift. Its
rate is taken at its upper confidence limit, and a mixture of likelihood ratios against that rate is an e-value, as in
`sequential`. Times are not compared: the record is of another hour.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import exp, lgamma, log, log1p
from types import MappingProxyType

from .sequential import log_sum

ALPHA = 0.001  # of the e-value, and of the limit: both are part of sequential.ALPHA
_ODDS: Mapping[float, float] = MappingProxyType({4.0: 0.5, 16.0: 0.5})
_STEPS = 60  # of the bisection: to the last digit of a float
_LEAST_RATE = 1e-6


@dataclass(frozen=True, slots=True)
class Verdict:
    """limit: rate that the earlier version does not exceed with confidence; evidence, needed: e-values."""

    is_worse: bool
    limit: float
    evidence: float
    needed: float


def compare(hits: int, count: int, live_hits: int, live_count: int) -> Verdict:
    """hits: failures among `count` requests of the new version; live_*: of the earlier one."""
    limit = upper_limit(live_hits, live_count)
    evidence = log_evidence(hits, count, limit)
    return Verdict(evidence >= log(1 / ALPHA), limit, exp(min(evidence, 100.0)), 1 / ALPHA)


def log_evidence(hits: int, count: int, limit: float) -> float:
    """Logarithm of the e-value against "the rate is at most `limit`"."""
    if limit >= 1:
        return 0.0
    return log_sum(
        [log(weight) + hits * log(odds) - count * log1p(limit * (odds - 1)) for odds, weight in _ODDS.items()]
    )


def upper_limit(hits: int, count: int, alpha: float = ALPHA) -> float:
    """Clopper and Pearson's exact upper limit of a rate, one-sided; 1 without requests."""
    if hits >= count:
        return 1.0
    low, high = 0.0, 1.0
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if _at_most(hits, count, middle) > alpha else (low, middle)
    return max(high, _LEAST_RATE)


def _at_most(hits: int, count: int, rate: float) -> float:
    """Probability of at most `hits` failures among `count`. rate: within (0, 1)."""
    return exp(
        log_sum(
            [
                lgamma(count + 1) - lgamma(k + 1) - lgamma(count - k + 1) + k * log(rate) + (count - k) * log1p(-rate)
                for k in range(hits + 1)
            ]
        )
    )
