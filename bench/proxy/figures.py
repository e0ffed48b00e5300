"""Percentiles, bounds and how they are told."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field


class NotRun(Exception):
    """A measurement could not be made; the message says why."""


@dataclass(frozen=True)
class Bound:
    """A figure that must not pass a limit."""

    what: str
    figure: float
    limit: float
    unit: str

    @property
    def holds(self) -> bool:
        return self.figure <= self.limit


@dataclass
class Report:
    """What one measurement found."""

    title: str
    lines: list[str] = field(default_factory=list)
    bounds: list[Bound] = field(default_factory=list)

    def tell(self) -> None:
        """Print it."""
        say(f"\n== {self.title}")
        for line in self.lines:
            say(f"  {line}")
        for bound in self.bounds:
            verdict = "PASS" if bound.holds else "MISS"
            say(f"  {verdict}  {bound.what}: {bound.figure:.3f} {bound.unit} (at most {bound.limit:.3f})")


def say(text: str) -> None:
    """A line on standard output."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


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
