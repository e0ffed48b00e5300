"""A thousand workers' shards become one run: how long it takes, how much memory, and whether it is exact."""

from __future__ import annotations

import json
import random
import resource
import sys
import time

from chalicelib.load.histogram import Histogram, merge

from bench.figures import Bound, Report

SHARDS, SAMPLES = 1_000, 2_000


def measure() -> Report:
    """In a process of its own, whose memory is its own."""
    from bench.load.tools import pinned

    told = json.loads(pinned([sys.executable, "-m", "bench.load.merging"], 1)[0])
    report = Report(f"merging: {SHARDS} shards of {SAMPLES} samples each")
    report.lines.append(f"{told['bytes'] / SHARDS:.0f} bytes a shard")
    report.bounds += [
        Bound("seconds", told["seconds"], high=2.0),
        Bound("MB above what the shards take", told["mb"], high=100.0),
        Bound("buckets that differ from the histogram of all samples", told["differ"], high=0),
    ]
    return report


def _main() -> None:
    chance = random.Random(1)
    truth, shards = Histogram(), []
    for _ in range(SHARDS):
        shard = Histogram()
        for _ in range(SAMPLES):
            us = int(chance.lognormvariate(9, 1))
            shard.record(us)
            truth.record(us)
        shards.append(shard.encode())
    before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.perf_counter()
    merged = merge(shards)
    seconds = time.perf_counter() - began
    unit = 1_000_000 if sys.platform == "darwin" else 1_000
    told = {
        "seconds": seconds,
        "mb": (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / unit,
        "bytes": sum(len(one) for one in shards),
        "differ": sum(a != b for a, b in zip(merged.counts, truth.counts, strict=True)),
    }
    sys.stdout.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    _main()
