"""When requests are due: an open model, in which a slow answer never delays the next request.

Each shape is a rising sequence of seconds since the start. Of n workers each takes every n-th arrival; for Poisson each
has an independent process of an n-th of the rate, since the sum of Poisson processes is one again.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Literal

from chalicelib.domain.errors import BadRequest

Shape = Literal["constant", "ramp", "step", "poisson", "trace"]


@dataclass(frozen=True, slots=True)
class Arrivals:
    """rps: requests a second (at the end, for ramp and step); duration_s: length; steps: of a step shape.

    trace: seconds since the start, as recorded, for the shape of that name.
    """

    shape: Shape = "constant"
    rps: float = 10.0
    duration_s: float = 5.0
    steps: int = 4
    trace: Sequence[float] = field(default_factory=tuple)

    @property
    def expected(self) -> int:
        """About how many requests will be due."""
        if self.shape == "trace":
            return sum(1 for at in self.trace if at < self.duration_s)
        share = {"ramp": 0.5, "step": (self.steps + 1) / (2 * self.steps)}.get(self.shape, 1.0)
        return round(self.rps * self.duration_s * share)


def within(due: Iterator[float], window: tuple[float, float]) -> Iterator[float]:
    """The due times within the window [start, end), as seconds since its start."""
    start, end = window
    return (at - start for at in due if start <= at < end)


def due_times(arrivals: Arrivals, *, worker: int = 0, workers: int = 1, seed: int = 0) -> Iterator[float]:
    """Seconds since the start at which this worker's requests are due. Raises BadRequest for an unknown shape."""
    if arrivals.shape == "poisson":
        return _poisson(arrivals, worker, workers, seed)
    shapes = {"constant": _constant, "ramp": _ramp, "step": _step, "trace": _trace}
    if arrivals.shape not in shapes:
        raise BadRequest(f"unknown arrivals {arrivals.shape!r}", field="options.load.arrivals")
    return islice(shapes[arrivals.shape](arrivals), worker, None, workers)


def _constant(arrivals: Arrivals) -> Iterator[float]:
    count = 0
    while (at := count / arrivals.rps) < arrivals.duration_s:
        yield at
        count += 1


def _ramp(arrivals: Arrivals) -> Iterator[float]:
    """The rate rises linearly from 0 to rps: after t of d seconds, rps·t²/2d requests were due."""
    count = 0
    while (at := (2 * count * arrivals.duration_s / arrivals.rps) ** 0.5) < arrivals.duration_s:
        yield at
        count += 1


def _step(arrivals: Arrivals) -> Iterator[float]:
    """`steps` plateaus of equal length, whose rates rise by the same amount."""
    length = arrivals.duration_s / arrivals.steps
    for step in range(arrivals.steps):
        level = arrivals.rps * (step + 1) / arrivals.steps
        for count in range(round(level * length)):
            yield step * length + count / level


def _poisson(arrivals: Arrivals, worker: int, workers: int, seed: int) -> Iterator[float]:
    chance = random.Random(f"{seed}:{worker}")  # noqa: S311 - arrivals, not secrets
    at = chance.expovariate(arrivals.rps / workers)
    while at < arrivals.duration_s:
        yield at
        at += chance.expovariate(arrivals.rps / workers)


def _trace(arrivals: Arrivals) -> Iterator[float]:
    return (at for at in sorted(arrivals.trace) if 0 <= at < arrivals.duration_s)
