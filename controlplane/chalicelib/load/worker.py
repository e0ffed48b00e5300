"""One shard of a load test, from its start time to the bytes that it hands over."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from functools import partial

import uvloop

from chalicelib.ports import Endpoint

from . import request, shard, split
from .arrivals import due_times, within
from .generator import Generator
from .plans import Plan
from .recorder import Recorder

_WARM = 8


Watch = Callable[[Recorder, float], bool]
"""Given what was seen so far and the seconds since the start, every second: True means stop."""


def work(plan: Plan, endpoint: Endpoint | None, watch: Watch | None = None) -> bytes:
    """Run this shard to its end; the answer is what `shard.combine` reads."""
    return uvloop.run(_work(plan, endpoint, watch))


async def _work(plan: Plan, endpoint: Endpoint | None, watch: Watch | None) -> bytes:
    recorder = Recorder()
    sign = endpoint if plan.signed else None
    generator = Generator(
        plan.url,
        _payload(plan, sign),
        recorder,
        plan.limits,
        stream=plan.stream,
        on_good=partial(split.note, recorder),
    )
    await generator.warm(min(_WARM, max(1, int(plan.arrivals.rps / plan.workers))))
    # Both clocks are read together: due times are on the one that never jumps.
    now, start = time.time(), time.perf_counter()
    late_s = max(0.0, now - plan.start_at)
    start += max(0.0, plan.start_at - now)
    beside = [asyncio.create_task(_resign(generator, plan, sign))]
    if watch is not None:
        beside.append(asyncio.create_task(_watched(generator, start, watch)))
    try:
        due = due_times(plan.arrivals, worker=plan.worker, workers=plan.workers, seed=plan.seed)
        await generator.run(within(due, plan.window), start)
    finally:
        for task in beside:
            task.cancel()
        ended = await asyncio.gather(*beside, return_exceptions=True)
    for problem in ended:
        # A watch that died in silence would take the stop flag and the live figures with it.
        if isinstance(problem, Exception):
            raise problem
    return shard.encode(recorder, started_at=max(now, plan.start_at), late_s=late_s, stopped=generator.stopped)


async def _resign(generator: Generator, plan: Plan, endpoint: Endpoint | None) -> None:
    while endpoint is not None:
        await asyncio.sleep(request.RESIGN_S)
        generator.payload = _payload(plan, endpoint)


async def _watched(generator: Generator, start: float, watch: Watch) -> None:
    while True:
        await asyncio.sleep(1.0)
        # It may speak to AWS, which takes its time; the generator's loop must not wait for it.
        told: Awaitable[bool] = asyncio.to_thread(watch, generator.recorder, time.perf_counter() - start)
        if await told:
            generator.stop()
            return


def _payload(plan: Plan, endpoint: Endpoint | None) -> bytes:
    headers = {"content-type": "application/json"} if plan.body else {}
    return request.build(plan.method, plan.url, headers, plan.body, endpoint)
