"""Cuts a load test into slices that fit a Lambda, and decides when they begin. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from chalicelib.domain.options import Load

SLICE_S = 60.0  # driven by the phase itself: well below its time limit, so that slow answers fit
WORKER_SLICE_S = 200.0  # driven by workers


@dataclass(frozen=True, slots=True)
class Slice:
    """A part of the load, in seconds from the start of the load."""

    number: int
    starts_at_s: float
    duration_s: float

    @property
    def window(self) -> tuple[float, float]:
        """Start and end, in seconds from the start of the load."""
        return self.starts_at_s, self.starts_at_s + self.duration_s


def slices_of(load: Load) -> list[Slice]:
    """Slices of whole seconds and nearly equal length; the last may be shorter."""
    longest = SLICE_S if load.workers == 1 else WORKER_SLICE_S
    count = max(1, ceil(load.duration_s / longest))
    length = ceil(load.duration_s / count)
    starts = [number * length for number in range(count) if number * length < load.duration_s]
    return [Slice(number, at, min(length, load.duration_s - at)) for number, at in enumerate(starts)]


def ahead_s(workers: int) -> float:
    """Seconds until a run begins: all Lambdas start and open their connections in that time."""
    return 0.5 if workers == 1 else min(30.0, 4.0 + 0.1 * workers)
