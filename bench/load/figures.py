"""Bounds and how they are told."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field

from bench.load.tools import ROOT


@dataclass(frozen=True)
class Bound:
    """A figure and the range that it must lie in."""

    what: str
    figure: float
    low: float = float("-inf")
    high: float = float("inf")

    @property
    def holds(self) -> bool:
        return self.low <= self.figure <= self.high

    def __str__(self) -> str:
        wanted = f"at least {self.low:g}" if self.high == float("inf") else f"at most {self.high:g}"
        return f"{'PASS' if self.holds else 'MISS'}  {self.what}: {self.figure:.4g} ({wanted})"


@dataclass
class Report:
    """What one measurement found."""

    title: str
    lines: list[str] = field(default_factory=list)
    bounds: list[Bound] = field(default_factory=list)

    def tell(self) -> None:
        say(f"\n== {self.title}")
        for line in self.lines:
            say(f"  {line}")
        for bound in self.bounds:
            say(f"  {bound}")


def say(text: str) -> None:
    """A line on standard output."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


@dataclass
class Serving:
    """A running server; `log` is what it told at its end."""

    url: str
    log: str = ""


@contextlib.contextmanager
def server(kind: str, core: int) -> Iterator[Serving]:
    """The bench's own server on a core of its own."""
    from bench.load.tools import _pin

    command = [*_pin(core), sys.executable, "-m", "bench.load.server", kind]
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'controlplane'}"}
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        serving = Serving(f"http://127.0.0.1:{int(process.stdout.readline())}/")
        try:
            yield serving
            process.stdin.write("end\n")
            process.stdin.flush()
            serving.log = process.stdout.readline()
        finally:
            process.terminate()
