"""Bounds and how they are printed: the same for every part of the bench."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Bound:
    """A figure and the range that it must lie in."""

    what: str
    figure: float
    low: float = float("-inf")
    high: float = float("inf")
    unit: str = ""

    @property
    def holds(self) -> bool:
        return self.low <= self.figure <= self.high

    def __str__(self) -> str:
        wanted = f"at least {self.low:.4g}" if self.high == float("inf") else f"at most {self.high:.4g}"
        figure = f"{self.figure:.4g} {self.unit}".rstrip()
        return f"{'PASS' if self.holds else 'MISS'}  {self.what}: {figure} ({wanted})"


@dataclass
class Report:
    """The result of one measurement."""

    title: str
    lines: list[str] = field(default_factory=list)
    bounds: list[Bound] = field(default_factory=list)

    def print(self) -> None:
        """Print it."""
        say(f"\n== {self.title}")
        for line in self.lines:
            say(f"  {line}")
        for bound in self.bounds:
            say(f"  {bound}")


def say(text: str) -> None:
    """A line on standard output."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
