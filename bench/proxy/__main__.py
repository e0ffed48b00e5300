"""`python -m bench.proxy`: all measurements, or those named; exit code 1 when a bound is missed."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable

from bench import running
from bench.figures import Report
from bench.proxy import coldstart, concurrency, latency, memory, secretread, streams, versions


def main(arguments: list[str]) -> int:
    """Measure and tell; 0 when every bound holds."""
    options = _parser().parse_args(arguments)
    measurements: dict[str, Callable[[], Report]] = {
        "latency": lambda: latency.measure(options.requests, with_litellm=options.litellm),
        "concurrency": lambda: concurrency.measure(options.rounds, with_others=options.litellm),
        "coldstart": lambda: coldstart.measure(options.starts, options.before),
        "secret": lambda: secretread.measure(options.starts),
        "memory": lambda: memory.measure(1000),
        "streams": lambda: streams.measure(options.streams),
        "versions": lambda: versions.measure(options.before),
    }
    return running.run(measurements, options.only)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.proxy", description=__doc__)
    parser.add_argument(
        "only", nargs="*", metavar="NAME", help="latency, concurrency, coldstart, secret, memory, streams, versions"
    )
    parser.add_argument("--requests", type=int, default=5000)
    parser.add_argument("--starts", type=int, default=15)
    parser.add_argument("--rounds", type=int, default=3, help="of concurrency")
    parser.add_argument("--streams", type=int, default=40)
    parser.add_argument(
        "--before", metavar="FOLDER", default="", help="a checkout of an earlier version, for versions and coldstart"
    )
    parser.add_argument(
        "--litellm", action="store_true", help="install LiteLLM's proxy and Portkey's gateway (once) and compare"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
