"""Runs as load tests see them."""

from __future__ import annotations

import random

from chalicelib.load.histogram import Histogram


def run_of(chance: random.Random, factor: float, *, count: int = 20, each: int = 50) -> dict[int, Histogram]:
    """A run as load tests see them: lognormal latencies, and seconds that differ by a few percent."""
    seconds = {}
    for second in range(count):
        mood = factor * chance.lognormvariate(0, 0.03)
        seconds[second] = Histogram()
        for _ in range(each):
            seconds[second].record(int(chance.lognormvariate(9.5, 0.35) * mood))
    return seconds
