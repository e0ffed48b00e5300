"""How many requests of either side a fixed test needs: one look at the end, for the same false alarms and power."""

from __future__ import annotations

from math import ceil, log, sqrt
from statistics import NormalDist

import numpy as np
from scipy import stats


def z_test(rate: float, other: float, alpha: float, power: float) -> int:
    """The textbook's two-proportion z-test, one-sided (Fleiss, Levin, Paik 2003, 4.2, without a correction)."""
    quantile = NormalDist().inv_cdf
    mean = (rate + other) / 2
    spread = quantile(1 - alpha) * sqrt(2 * mean * (1 - mean))
    spread += quantile(power) * sqrt(rate * (1 - rate) + other * (1 - other))
    return ceil((spread / (rate - other)) ** 2)


def exact_power(count: int, rate: float, other: float, alpha: float) -> float:
    """Power of Fisher's exact test, one-sided, with so many requests of either side."""
    hits = np.arange(min(200, count + 1))
    total = 0.0
    for live in range(12):  # live's failures: more are out of the question at its rate
        is_equal = stats.hypergeom.sf(hits - 1, 2 * count, hits + live, count) > alpha
        least = int(is_equal.sum())
        total += stats.binom.pmf(live, count, other) * stats.binom.sf(least - 1, count, rate)
    return total


def exact_test(rate: float, other: float, alpha: float, power: float, steps: int = 10) -> int:
    """The smallest count, in steps, at which Fisher's exact test has the power."""
    low = z_test(rate, other, alpha, power) // 2
    return next(count for count in range(low, 20 * low, steps) if exact_power(count, rate, other, alpha) >= power)


def least_mean(rate: float, other: float, alpha: float) -> float:
    """Requests of either side that any sequential test needs on average to find this difference, if it must hold its
    false alarms at `alpha` for every common rate (Wald's bound: log(1 / alpha) over the information in one request of
    either side, against the nearest pair of equal rates).
    """
    common = (rate + other) / 2
    return log(1 / alpha) / sum(_information(each, common) for each in (rate, other))


def _information(rate: float, common: float) -> float:
    """Kullback and Leibler's, of one request."""
    return rate * log(rate / common) + (1 - rate) * log((1 - rate) / (1 - common))
