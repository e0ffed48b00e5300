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

    result = json.loads(pinned([sys.executable, "-m", "bench.load.merging"], 1)[0])
    report = Report(f"merging: {SHARDS} shards of {SAMPLES} samples each")
    report.lines.append(f"{result['bytes'] / SHARDS:.0f} bytes a shard")
    report.bounds += [
        Bound("seconds", result["seconds"], high=2.0),
        Bound("MB above what the shards take", result["mb"], high=100.0),
        Bound("buckets that differ from the histogram of all samples", result["differ"], high=0),
    ]
    return report


def _shards() -> tuple[Histogram, list[bytes]]:
    """The histogram of all samples, and the encoded ones of each worker."""
    chance = random.Random(1)
    truth, shards = Histogram(), []
    for _ in range(SHARDS):
        shard = Histogram()
        for _ in range(SAMPLES):
            us = int(chance.lognormvariate(9, 1))
            shard.record(us)
            truth.record(us)
        shards.append(shard.encode())
    return truth, shards


def _main() -> None:
    truth, shards = _shards()
    before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.perf_counter()
    merged = merge(shards)
    seconds = time.perf_counter() - began
    unit = 1_000_000 if sys.platform == "darwin" else 1_000
    result = {
        "seconds": seconds,
        "mb": (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / unit,
        "bytes": sum(len(shard) for shard in shards),
        "differ": sum(a != b for a, b in zip(merged.counts, truth.counts, strict=True)),
    }
    sys.stdout.write(json.dumps(result) + "\n")


if __name__ == "__main__":
    _main()
