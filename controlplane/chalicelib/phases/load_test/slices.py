"""Cuts a load test into slices that Lambdas can drive, and says when each begins. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from chalicelib.domain.config import Load

SLICE_S = 60.0  # driven by the phase itself; well below its time limit, with room for slow answers at the end
WORKER_SLICE_S = 200.0  # driven by workers, which have nothing else to do


@dataclass(frozen=True, slots=True)
class Slice:
    """A stretch of the load, in seconds from its start."""

    number: int
    starts_at_s: float
    duration_s: float

    @property
    def window(self) -> tuple[float, float]:
        return self.starts_at_s, self.starts_at_s + self.duration_s


def slices_of(load: Load) -> list[Slice]:
    """Slices of whole seconds and nearly equal length; the last one may be shorter."""
    longest = SLICE_S if load.workers == 1 else WORKER_SLICE_S
    count = max(1, ceil(load.duration_s / longest))
    length = ceil(load.duration_s / count)
    starts = [number * length for number in range(count) if number * length < load.duration_s]
    return [Slice(number, at, min(length, load.duration_s - at)) for number, at in enumerate(starts)]


def ahead_s(workers: int) -> float:
    """How far in the future a run begins: time for all Lambdas to start and to open their connections."""
    return 0.5 if workers == 1 else min(30.0, 4.0 + 0.1 * workers)
