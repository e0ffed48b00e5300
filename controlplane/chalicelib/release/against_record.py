"""Does a version that serves all users fail, or take long, more often than the one before did? Pure; may be looked at
at any time.

During the bake no live version runs beside. The record is the live version's hits (failures, or answers slower than a
fixed time) during load test and shift. Its rate is taken at its upper confidence limit, and a mixture of likelihood
ratios against that rate is an e-value, as in `sequential`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import exp, log, log1p
from types import MappingProxyType

from .sequential import log_choose, log_sum

# Of the e-value, and of the limit. The bake's part of sequential.ALPHA is 0.002: errors and four times, two each.
ERRORS_ALPHA = 0.0005
TIMES_ALPHA = 0.000125
_ODDS: Mapping[float, float] = MappingProxyType({4.0: 0.5, 16.0: 0.5})
_MOST_LOG = 100.0  # of an e-value that is shown
_STEPS = 60  # of the bisection: to the last digit of a float
_LEAST_RATE = 1e-6
_MOST_HITS = 1_000  # looked for by `margin`


@dataclass(frozen=True, slots=True)
class Verdict:
    """limit: rate that the earlier version does not exceed with confidence; evidence, needed: e-values.

    margin: how many hits more would be too many; of a worse version, how many fewer would not be.
    """

    is_worse: bool
    limit: float
    evidence: float
    needed: float
    margin: int


def compare(hits: int, count: int, live_hits: int, live_count: int, alpha: float = ERRORS_ALPHA) -> Verdict:
    """hits: among `count` requests of the new version; live_*: of the earlier one. alpha: see above."""
    limit = upper_limit(live_hits, live_count, alpha)
    evidence = log_evidence(hits, count, limit)
    is_worse = evidence >= log(1 / alpha)
    shown = exp(min(evidence, _MOST_LOG))
    return Verdict(is_worse, limit, shown, 1 / alpha, _margin(hits, count, limit, alpha, is_worse))


def _margin(hits: int, count: int, limit: float, alpha: float, is_worse: bool) -> int:
    sign = -1 if is_worse else 1
    for more in range(1, _MOST_HITS):
        if (log_evidence(hits + sign * more, count, limit) >= log(1 / alpha)) != is_worse:
            return more
    return _MOST_HITS


def log_evidence(hits: int, count: int, limit: float) -> float:
    """Logarithm of the e-value against "the rate is at most `limit`"."""
    if limit >= 1:
        return 0.0
    return log_sum(
        [log(weight) + hits * log(odds) - count * log1p(limit * (odds - 1)) for odds, weight in _ODDS.items()]
    )


def upper_limit(hits: int, count: int, alpha: float) -> float:
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
    return exp(log_sum([log_choose(count, k) + k * log(rate) + (count - k) * log1p(-rate) for k in range(hits + 1)]))
