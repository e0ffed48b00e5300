"""How far a figure can be trusted. Pure; chance is an input (a seeded `random.Random`), so a verdict can be repeated.

Intervals are two-sided at 95 % unless said otherwise.
"""

from __future__ import annotations

import random
import sys
from array import array
from collections.abc import Mapping, Sequence
from itertools import accumulate
from math import ceil, floor, sqrt

from chalicelib.load.histogram import Histogram, add, middle

Z95 = 1.96
_LANE = 8
_MIN_BLOCKS = 10  # with fewer seconds than this there is nothing to resample


def quantile_interval(histogram: Histogram, share: float) -> tuple[float, float | None] | None:
    """Where the true quantile lies, in microseconds, from order statistics (no assumption on the distribution).

    The upper end is None when so few samples lie beyond that it cannot be known; None altogether without samples.
    """
    total = histogram.total
    if not total:
        return None
    spread = Z95 * sqrt(total * share * (1 - share))
    low, high = max(1, floor(total * share - spread)), ceil(total * share + spread) + 1
    return histogram.at_rank(low), histogram.at_rank(high) if high <= total else None


def share_interval(hits: int, total: int) -> tuple[float, float]:
    """Wilson's interval for a share, which behaves even when there were no hits."""
    if not total:
        return 0.0, 1.0
    share, spread = hits / total, Z95 * Z95 / total
    centre = (share + spread / 2) / (1 + spread)
    half = Z95 * sqrt(share * (1 - share) / total + spread / (4 * total)) / (1 + spread)
    # Without a hit the lower end is zero, which floating point misses by a hair.
    return max(0.0, centre - half) if hits else 0.0, min(1.0, centre + half)


def samples_for(share: float) -> int:
    """How many samples a quantile needs before at least one can be expected beyond it: 100 for p99."""
    return ceil(round(1 / (1 - share), 6))


def ratio_interval(
    before: Mapping[int, Histogram],
    after: Mapping[int, Histogram],
    share: float,
    chance: random.Random,
    *,
    rounds: int = 200,
    level: float = 0.95,
) -> tuple[float, float, float]:
    """(ratio, low, high) of a quantile after over the same quantile before, both given second by second.

    A bootstrap over whole seconds: requests of one second share the machine's mood, and resampling them singly would
    promise more than is known. Raises ValueError when either side has no samples.
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
        used = [index for index, count in enumerate(whole) if count]
        if not used:
            raise ValueError("a comparison needs samples on both sides")
        # Only the buckets that are in use: a resampling costs a tenth of what all of them would.
        self._first, end = used[0], used[-1] + 1
        self._width = end - self._first
        self._whole = whole[self._first : end]
        self._total = sum(self._whole)
        self._seconds = [_packed(one.counts[self._first : end]) for one in by_second.values()]
        self.figure = self._quantile(self._whole, self._total, share)

    def draw(self) -> float:
        """The quantile of one resampling."""
        if len(self._seconds) >= _MIN_BLOCKS:
            # Seconds are packed into one long number each, so that adding them costs microseconds.
            packed = sum(self._chance.choices(self._seconds, k=len(self._seconds)))
            counts = array("Q", packed.to_bytes(self._width * _LANE, sys.byteorder))
            return self._quantile(counts, sum(counts), self._share)
        # Too few blocks: resampling single requests moves the quantile's rank as a Beta variable does.
        rank = max(1.0, self._total * self._share)
        return self._quantile(self._whole, self._total, self._chance.betavariate(rank, self._total - rank + 1))

    def _quantile(self, counts: Sequence[int], total: int, share: float) -> float:
        rank = max(1, ceil(share * total))
        index = next((index for index, seen in enumerate(accumulate(counts)) if seen >= rank), self._width - 1)
        return max(middle(self._first + index), 0.5)


def _packed(counts: Sequence[int]) -> int:
    return int.from_bytes(array("Q", counts).tobytes(), sys.byteorder)
