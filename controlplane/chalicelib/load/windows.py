"""Two runs of the same seconds as windows that a sequential test takes: how many of each side were slow. Pure.

The threshold of a window is a quantile of both sides together. It therefore depends on the hour, but not on which side
an answer came from, so an hour that slows both sides down changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate

from chalicelib.domain.evidence.comparison import Split

from .histogram import BUCKETS, MAX_US, Histogram, add, index_of, middle, rank_of

_LEAST_HITS = 2  # slow answers that a window must have room for: 200 samples for p99


def slow(candidate: Histogram, live: Histogram, share: float, slower: float, least_us: float) -> Split:
    """How many answers of each side are above the quantile `share` of both.

    slower: live's answers count as longer by this share, and by `least_us` at least, so that the test asks for "slower
    by more than that".
    """
    stretched = _stretched(live, slower, least_us)
    rank = rank_of(share, candidate.total + live.total)
    sums = accumulate(ours + theirs for ours, theirs in zip(candidate.counts, stretched, strict=True))
    above = next((index for index, count in enumerate(sums) if count >= rank), BUCKETS) + 1
    return Split(candidate.total, sum(candidate.counts[above:]), live.total, sum(stretched[above:]))


def longer(us: float, slower: float, least_us: float) -> int:
    """A duration that is longer by this share, and by `least_us` at least; at most MAX_US."""
    return min(int(us + max(us * slower, least_us)), MAX_US)


def above(histogram: Histogram, us: float) -> int:
    """How many durations are in a bucket above the one of `us`."""
    return sum(histogram.counts[index_of(min(int(us), MAX_US)) + 1 :])


def _stretched(histogram: Histogram, slower: float, least_us: float) -> Sequence[int]:
    """The counts of the same durations, each of them longer."""
    counts = [0] * BUCKETS
    for index, count in enumerate(histogram.counts):
        if count:
            counts[index_of(longer(middle(index), slower, least_us))] += count
    return counts


def paired(
    candidate: Mapping[int, Histogram], live: Mapping[int, Histogram], share: float, after_s: int
) -> Iterator[tuple[Histogram, Histogram]]:
    """Both sides, joined over as many seconds as a quantile needs. Seconds before `after_s` are left out, and so is a
    rest at the end that is too short."""
    ours, theirs = Histogram(), Histogram()
    for second in sorted(set(candidate) | set(live)):
        if second < after_s:
            continue
        ours = add([ours, candidate.get(second, Histogram())])
        theirs = add([theirs, live.get(second, Histogram())])
        total = ours.total + theirs.total
        if total - rank_of(share, total) >= _LEAST_HITS and ours.total and theirs.total:
            yield ours, theirs
            ours, theirs = Histogram(), Histogram()
