"""`python -m bench.load`: speed, truth and merging, or those named; exit code 1 when a bound is missed."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable

from bench import running
from bench.figures import Report
from bench.load import merging, speed, truth


def main(arguments: list[str]) -> int:
    """Measure and print; 0 when every bound holds."""
    options = _parser().parse_args(arguments)
    measurements: dict[str, Callable[[], Report]] = {
        "speed": lambda: speed.measure(options.seconds, options.rounds, urgent=options.urgent),
        "truth": lambda: truth.measure(options.truth_seconds, options.rounds),
        "merging": merging.measure,
    }
    return running.run(measurements, options.only)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.load", description=__doc__)
    parser.add_argument("only", nargs="*", metavar="NAME", help="speed, truth, merging")
    parser.add_argument("--seconds", type=int, default=4, help="each generator's turn")
    parser.add_argument("--rounds", type=int, default=3, help="turns of each, interleaved")
    parser.add_argument(
        "--urgent", action="store_true", help="speed: before all others' work, which then stands still (root on Linux)"
    )
    parser.add_argument("--truth-seconds", type=int, default=20)
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
