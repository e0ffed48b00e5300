"""The engine in a process of its own: `python -m bench.load.drive URL RPS SECONDS CONNECTIONS GIVE_UP_S`. Prints JSON.

It works as in a worker of the load test: it times each request from when it was due, records by the second, and reads
the proxy's own share of the latency from every good answer. Beside the figures: `start`, when the first request was
due, on the clock that all processes share; `cpu_s` and `wall_s` of the run alone, without the interpreter's start.
"""

from __future__ import annotations

import json
import sys
import time
from functools import partial

import uvloop
from chalicelib.load import split
from chalicelib.load.arrivals import Arrivals, due_times
from chalicelib.load.generator import Generator
from chalicelib.load.histogram import Histogram, add
from chalicelib.load.plans import Limits
from chalicelib.load.recorder import Recorder
from chalicelib.load.request import build

BODY = b'{"model": "m", "messages": "' + b"a" * 970 + b'"}'


async def run(url: str, rps: float, seconds: float, connections: int, give_up_s: float) -> dict[str, object]:
    recorder = Recorder()
    payload = build("POST", url, {"content-type": "application/json"}, BODY, None)
    limits = Limits(connections=connections, give_up_s=give_up_s, timeout_s=10)
    generator = Generator(url, payload, recorder, limits, on_good=partial(split.note, recorder))
    await generator.warm(min(connections, 16))
    start = time.perf_counter() + 0.05
    cpu, wall = time.process_time(), time.perf_counter()
    await generator.run(due_times(Arrivals("constant", rps, seconds)), start)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    response = add([Histogram(), *(Histogram(counts) for counts in recorder.response.values())])
    return {
        "due": recorder.due,
        "good": recorder.good,
        "unsent": recorder.unsent,
        "errors": dict(recorder.errors),
        "start": start,
        "cpu_s": cpu,
        "wall_s": wall,
        "percentiles_us": {str(share): response.percentile(share) for share in (0.5, 0.99, 0.999)},
        "late_us": {str(share): Histogram(recorder.pacing).percentile(share) for share in (0.5, 0.99, 0.999)},
    }


if __name__ == "__main__":
    url, rps, seconds, connections, give_up_s = sys.argv[1:]
    result = uvloop.run(run(url, float(rps), float(seconds), int(connections), float(give_up_s)))
    sys.stdout.write(json.dumps(result) + "\n")
