"""`python -m tests.fuzz`: many inputs; exit code 1 when any of them failed."""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import time
from collections import Counter

from tests.fuzz.run import run


def main() -> int:
    """Run, say what came out; 0 when nothing failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--inputs", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--processes", type=int, default=8, help="much of the time is waiting")
    options = parser.parse_args()
    begun, share = time.monotonic(), -(-options.inputs // options.processes)
    jobs = [(options.seed * 1000 + number, share) for number in range(options.processes)]
    with multiprocessing.get_context("spawn").Pool(options.processes) as pool:
        reports = pool.starmap(run, jobs)
    answers, failures = Counter[int](), [failure for report in reports for failure in report.failures]
    for report in reports:
        answers.update(report.answers)
    counted = ", ".join(f"{count} x {status}" for status, count in sorted(answers.items()))
    inputs = sum(report.inputs for report in reports)
    print(f"{inputs} inputs in {time.monotonic() - begun:.0f} s, seed {options.seed}; answers: {counted}")
    for failure in failures[:20]:
        print(f"FAILED {failure}")
    print(f"fuzz: {len(failures)} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
