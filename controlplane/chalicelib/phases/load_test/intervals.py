"""Confidence intervals. Pure; randomness is an input (a seeded `random.Random`), so a verdict can be repeated.

Intervals are two-sided at 95 % unless stated otherwise.
"""

from __future__ import annotations

import random
import sys
from array import array
from collections.abc import Mapping, Sequence
from itertools import accumulate, count
from math import ceil, floor, sqrt

from chalicelib.load.histogram import Histogram, add, middle, rank_of

Z95 = 1.96
_LANE = 8
_MIN_BLOCKS = 10  # fewer seconds are too few blocks to resample


def quantile_interval(histogram: Histogram, share: float) -> tuple[float, float | None] | None:
    """Interval of a quantile in microseconds, from order statistics (no assumption on the distribution).

    The upper end is None when there are too few samples above the quantile; the result is None without samples.
    Source: Conover, Practical Nonparametric Statistics, confidence interval for a quantile.
    """
    total = histogram.total
    if not total:
        return None
    spread = Z95 * sqrt(total * share * (1 - share))
    low, high = max(1, floor(total * share - spread)), ceil(total * share + spread) + 1
    return histogram.at_rank(low), histogram.at_rank(high) if high <= total else None


def share_interval(hits: int, total: int) -> tuple[float, float]:
    """Wilson's score interval for the share hits / total, which is valid for small counts and for no hits."""
    if not total:
        return 0.0, 1.0
    share, spread = hits / total, Z95 * Z95 / total
    centre = (share + spread / 2) / (1 + spread)
    half = Z95 * sqrt(share * (1 - share) / total + spread / (4 * total)) / (1 + spread)
    # Without a hit the lower end is exactly zero, which floating point misses.
    return max(0.0, centre - half) if hits else 0.0, min(1.0, centre + half)


def samples_for(share: float) -> int:
    """How many samples a quantile needs so that one is above it: 100 for p99. share: below 1."""
    return next(total for total in count(1) if rank_of(share, total) < total)


def ratio_interval(
    before: Mapping[int, Histogram],
    after: Mapping[int, Histogram],
    share: float,
    chance: random.Random,
    *,
    rounds: int = 200,
    level: float = 0.95,
) -> tuple[float, float, float]:
    """(ratio, low, high) of a quantile after to the same quantile before, both by second.

    A block bootstrap over whole seconds: requests of the same second are correlated, so resampling single requests
    would give intervals that are too narrow. Raises ValueError when either side has no samples.
    """
    old, new = _Resampler(before, share, chance), _Resampler(after, share, chance)
    ratios = sorted(new.draw() / old.draw() for _ in range(rounds))
    cut = int(rounds * (1 - level) / 2)
    return new.figure / old.figure, ratios[cut], ratios[-cut - 1]


class _Resampler:
    def __init__(self, by_second: Mapping[int, Histogram], share: float, chance: random.Random) -> None:
        self._share = share
        self._chance = chance
        whole = add([Histogram(), *by_second.values()]).counts
        used = [index for index, hits in enumerate(whole) if hits]
        if not used:
            raise ValueError("a comparison needs samples on both sides")
        # Only the buckets in use: resampling then costs a tenth.
        self._first, end = used[0], used[-1] + 1
        self._width = end - self._first
        self._whole = whole[self._first : end]
        self._total = sum(self._whole)
        self._seconds = [_packed(histogram.counts[self._first : end]) for histogram in by_second.values()]
        self.figure = self._quantile(self._whole, self._total, share)

    def draw(self) -> float:
        """The quantile of a resample."""
        if len(self._seconds) >= _MIN_BLOCKS:
            # Each second is packed into one long integer, so adding seconds costs microseconds.
            packed = sum(self._chance.choices(self._seconds, k=len(self._seconds)))
            counts = array("Q", packed.to_bytes(self._width * _LANE, sys.byteorder))
            return self._quantile(counts, sum(counts), self._share)
        # Too few blocks: the quantile's rank among single requests is distributed as a Beta variable.
        rank = max(1.0, self._total * self._share)
        return self._quantile(self._whole, self._total, self._chance.betavariate(rank, self._total - rank + 1))

    def _quantile(self, counts: Sequence[int], total: int, share: float) -> float:
        rank = rank_of(share, total)
        index = next((index for index, whole in enumerate(accumulate(counts)) if whole >= rank), self._width - 1)
        return max(middle(self._first + index), 0.5)


def _packed(counts: Sequence[int]) -> int:
    return int.from_bytes(array("Q", counts).tobytes(), sys.byteorder)
