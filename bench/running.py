"""What every part of the bench does: name the machine, measure in turn, count the missed bounds."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Mapping, Sequence

from bench.figures import Report, say


def run(measurements: Mapping[str, Callable[[], Report]], only: Sequence[str]) -> int:
    """Measure `only`, or everything, and print; 0 when every bound holds."""
    say(f"Python {platform.python_version()}, {platform.system()} {platform.machine()}, {os.cpu_count()} cores, ")
    say(f"load {os.getloadavg()[0]:.2f} (other work on this machine shows in every figure)")
    missed = 0
    for name in only or measurements:
        report = measurements[name]()
        report.print()
        missed += sum(not bound.holds for bound in report.bounds)
    say(f"\n{'all bounds hold' if not missed else f'{missed} bounds missed'}")
    return 1 if missed else 0
