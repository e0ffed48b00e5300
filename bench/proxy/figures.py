"""Percentiles and how they are told."""

from __future__ import annotations

import math
from collections.abc import Sequence


class NotRun(Exception):
    """A measurement could not be made; the message says why."""


def percentile(values: Sequence[float], q: float) -> float:
    """The value that q (0 to 1) of the values do not exceed (nearest rank)."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(q * len(ordered)) - 1)]


def row(name: str, seconds: Sequence[float]) -> str:
    """p50, p95 and p99 in milliseconds."""
    p50, p95, p99 = (percentile(seconds, q) * 1000.0 for q in (0.5, 0.95, 0.99))
    return f"{name:<44} p50 {p50:8.3f}  p95 {p95:8.3f}  p99 {p99:8.3f} ms  (n={len(seconds)})"


def added_ms(with_it: Sequence[float], without: Sequence[float], q: float) -> float:
    """What a percentile grew by, in milliseconds."""
    return (percentile(with_it, q) - percentile(without, q)) * 1000.0
