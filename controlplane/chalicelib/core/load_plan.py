"""Cuts a load test into slices that a Lambda can drive, and estimates what it costs. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from .config import Load

SLICE_S = 60.0  # well below a Lambda's time limit, with room for slow answers at the end


@dataclass(frozen=True, slots=True)
class Slice:
    """A stretch of the load, in seconds from its start."""

    number: int
    starts_at_s: float
    duration_s: float


def slices_of(load: Load) -> list[Slice]:
    """Slices of whole seconds and nearly equal length; the last one may be shorter."""
    count = max(1, ceil(load.duration_s / SLICE_S))
    length = ceil(load.duration_s / count)
    return [Slice(number, number * length, min(length, load.duration_s - number * length)) for number in range(count)]
