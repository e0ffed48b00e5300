"""What one worker measures, second by second: histograms and counts, nothing per request."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from .histogram import BUCKETS, MAX_US, SUB_BITS

Counts = list[int]


@dataclass(slots=True)
class Recorder:
    """Counts by bucket of microseconds.

    response: from when a request was due, by the second in which it was due. service: from when it was sent.
    first_byte: the same for streams. pacing: how late the generator sent. parts: shares of the time by name.
    series: what is compared side by side, by name and second: `total`, `overhead`, `first_byte`, each without the
    upstream's own time. failures: by the second in which requests were due; failed_as: the same by kind of failure.

    A request that timed out counts in `response` with the time waited: without the slowest requests the figures would
    be too good.
    """

    start: float = 0.0  # of the run; all times are on its clock, in seconds
    response: dict[int, Counts] = field(default_factory=dict)
    service: Counts = field(default_factory=lambda: [0] * BUCKETS)
    first_byte: Counts = field(default_factory=lambda: [0] * BUCKETS)
    pacing: Counts = field(default_factory=lambda: [0] * BUCKETS)
    parts: dict[str, Counts] = field(default_factory=dict)
    series: dict[str, dict[int, Counts]] = field(default_factory=dict)
    failures: Counter[int] = field(default_factory=Counter)
    failed_as: dict[str, Counter[int]] = field(default_factory=dict)
    errors: Counter[str] = field(default_factory=Counter)
    due: int = 0
    unsent: int = 0
    events: int = 0
    streamed_s: float = 0.0
    connections: int = 0

    @property
    def good(self) -> int:
        """How many answers were good: each has a service time."""
        return sum(self.service)

    def second(self, due: float) -> Counts:
        """The response times of all requests that were due in the same second."""
        return self.response.setdefault(int(due - self.start), [0] * BUCKETS)

    def answered(self, due: float, sent: float, end: float) -> None:
        """Count a good answer."""
        _count(self.second(due), end - due)
        _count(self.service, end - sent)

    def streamed(self, sent: float, first: float, end: float, events: int) -> None:
        """Count a stream's first byte, and its events from then on."""
        _count(self.first_byte, first - sent)
        self.events += events
        self.streamed_s += end - first

    def failed(self, kind: str, due: float, end: float) -> None:
        """Count a request without a good answer. kind: connect, timeout, dropped, protocol or http_<status>."""
        self.errors[kind] += 1
        second = int(due - self.start)
        self.failures[second] += 1
        self.failed_as.setdefault(kind, Counter())[second] += 1
        if kind == "timeout":
            _count(self.second(due), end - due)

    @property
    def sent(self) -> int:
        """How many requests were due and not given up."""
        return self.due - self.unsent

    def part(self, name: str, seconds: float) -> None:
        """Count a share of a request's time: gateway, proxy or upstream."""
        _count(self.parts.setdefault(name, [0] * BUCKETS), seconds)

    def compare(self, name: str, due: float, seconds: float) -> None:
        """Count a time of a good answer in a series."""
        by_second = self.series.setdefault(name, {})
        _count(by_second.setdefault(int(due - self.start), [0] * BUCKETS), seconds)


def _count(counts: Counts, seconds: float) -> None:
    us = min(max(0, int(seconds * 1e6)), MAX_US)
    shift = us.bit_length() - SUB_BITS - 1
    counts[(shift << SUB_BITS) + (us >> shift) if shift > 0 else us] += 1
