"""A log-linear histogram of durations in microseconds, like HdrHistogram's, in pure Python.

Each doubling has 128 buckets, so a value is accurate to ±0.4 %. Counts add up: merging the histograms of any number of
workers gives exactly the histogram of all their samples. hdrhistogram (PyPI) has no wheel for arm64 Linux.
"""

from __future__ import annotations

import sys
import zlib
from array import array
from collections.abc import Iterable, Sequence
from itertools import accumulate

from chalicelib.domain.evidence.load import Percentiles

SUB_BITS = 7
_HALF = 1 << SUB_BITS
MAX_US = (1 << 32) - 1  # 71 minutes; longer ones count as this long
BUCKETS = (32 - SUB_BITS - 1) * _HALF + 2 * _HALF
_MILLION = 1_000_000
_LANE = 8  # bytes a bucket when encoded: no sum of counts overflows it


def index_of(us: int) -> int:
    """The bucket of a duration of 0 to MAX_US microseconds."""
    shift = us.bit_length() - SUB_BITS - 1
    return (shift << SUB_BITS) + (us >> shift) if shift > 0 else us


# `index_of` of short durations as a table. A longer duration is 6 doublings further on than one that is 64 times
# shorter, so its bucket is QUICK[us >> FAR_SHIFT] + FAR_STEP: the hot paths of `generator` and `wire` have this inline.
QUICK = tuple(index_of(us) for us in range(1 << 14))
QUICK_US, FAR_SHIFT, FAR_STEP, FAR_US = 1 << 14, 6, 6 << SUB_BITS, 1 << 20


def lowest(index: int) -> int:
    """The smallest duration (us) of a bucket."""
    shift = (index >> SUB_BITS) - 1
    return index if shift <= 0 else (index - (shift << SUB_BITS)) << shift


def middle(index: int) -> float:
    """The duration (us) that is reported for a bucket."""
    return (lowest(index) + lowest(index + 1) - 1) / 2


class Histogram:
    """Counts by bucket."""

    __slots__ = ("counts",)

    def __init__(self, counts: list[int] | None = None) -> None:
        self.counts = counts if counts is not None else [0] * BUCKETS

    def record(self, us: int) -> None:
        """Count one duration in microseconds."""
        self.counts[index_of(min(max(us, 0), MAX_US))] += 1

    @property
    def total(self) -> int:
        """How many durations were counted."""
        return sum(self.counts)

    def percentile(self, share: float) -> float | None:
        """The duration (us) that a `share` of all, such as 0.99, did not exceed; None without samples."""
        total = self.total
        return None if not total else self.at_rank(rank_of(share, total))

    def at_rank(self, rank: int) -> float:
        """The duration (us) of the rank-th smallest, from 1. Raises ValueError outside 1 to total."""
        for index, count in enumerate(accumulate(self.counts)):
            if count >= rank > 0:
                return middle(index)
        raise ValueError(f"rank {rank} of {self.total}")

    def maximum(self) -> float | None:
        """The longest duration (us), to the accuracy of its bucket; None without samples."""
        total = self.total
        return self.at_rank(total) if total else None

    def encode(self) -> bytes:
        """Compressed, for S3."""
        return zlib.compress(_lanes(self.counts), 1)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Histogram) and self.counts == other.counts

    __hash__ = None  # type: ignore[assignment]


def rank_of(share: float, total: int) -> int:
    """The rank of a quantile among so many samples, from 1: the smallest that reaches this share.

    In whole millionths, since 0.07 * 100 is a little more than 7 in floating point.
    """
    return max(1, -(-round(share * _MILLION) * total // _MILLION))


def decode(encoded: bytes) -> Histogram:
    """The histogram that `encode` wrote. Raises ValueError for anything else."""
    return merge([encoded])


def merge(encoded: Iterable[bytes]) -> Histogram:
    """The sum of encoded histograms. Raises ValueError for anything else.

    Each is read as one long integer, and the integers are added: a lane is too wide for a carry into the next. A
    thousand histograms take a fraction of a second and the memory of two.
    """
    total = 0
    for blob in encoded:
        try:
            raw = zlib.decompress(blob)
        except zlib.error as error:
            raise ValueError(f"not a histogram: {error}") from None
        if len(raw) != BUCKETS * _LANE:
            raise ValueError(f"not a histogram: {len(raw)} bytes instead of {BUCKETS * _LANE}")
        total += int.from_bytes(raw, "little")
    counts = array("Q", total.to_bytes(BUCKETS * _LANE, "little"))
    if sys.byteorder == "big":
        counts.byteswap()
    return Histogram(counts.tolist())


def add(histograms: Iterable[Histogram]) -> Histogram:
    """The sum of histograms in memory."""
    return Histogram([sum(column) for column in zip(*(histogram.counts for histogram in histograms), strict=True)])


def percentiles(histogram: Histogram) -> Percentiles:
    """p50, p90, p99, p99.9 and the maximum, in milliseconds; None without samples."""
    p50, p90, p99, p999 = (_ms(histogram.percentile(share)) for share in (0.5, 0.9, 0.99, 0.999))
    return Percentiles(p50, p90, p99, p999, _ms(histogram.maximum()))


def _ms(us: float | None) -> float | None:
    return None if us is None else round(us / 1_000, 3)


def _lanes(counts: Sequence[int]) -> bytes:
    lanes = array("Q", counts)
    if sys.byteorder == "big":
        lanes.byteswap()
    return lanes.tobytes()
