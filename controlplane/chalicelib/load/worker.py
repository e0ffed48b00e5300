"""One shard of a load test, from its start time to its encoded result."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial

import uvloop

from . import request, shard, split
from .arrivals import due_times, within
from .generator import Generator
from .plans import Plan
from .recorder import Recorder

_WARM = 8  # connections that are open before the start
_WATCH_S = 1.0

Watch = Callable[[Recorder, float], bool]
"""Called every second with the recorder and the seconds since the start; True means stop."""


def work(plan: Plan, sign: request.Sign | None, watch: Watch | None = None) -> list[bytes]:
    """Run this shard to its end, and the live version's beside it if the plan has one.

    Answers encoded shards (`shard.combine` reads them): the candidate's, then the live version's.
    """
    return uvloop.run(_work(plan, sign, watch))


async def _work(plan: Plan, sign: request.Sign | None, watch: Watch | None) -> list[bytes]:
    """Interleaved: the live version's requests are due half an interval after the candidate's."""
    stop = asyncio.Event()
    runs = [_run(plan, sign if plan.signed else None, stop, watch)]
    if (beside := plan.beside) is not None:
        live = replace(
            plan,
            url=beside.url,
            signed=beside.signed,
            arrivals=replace(plan.arrivals, rps=plan.arrivals.rps * beside.share),
        )
        lag_s = 0.5 * plan.workers / live.arrivals.rps
        runs.append(_run(live, sign if beside.signed else None, stop, lag_s=lag_s))
    return list(await asyncio.gather(*runs))


async def _run(
    plan: Plan, sign: request.Sign | None, stop: asyncio.Event, watch: Watch | None = None, lag_s: float = 0.0
) -> bytes:
    """One side, to its encoded shard. stop: ends both sides; watch: sets it; lag_s: of all due times."""
    recorder = Recorder()
    generator = Generator(
        plan.url,
        _payload(plan, sign),
        recorder,
        plan.limits,
        stream=plan.stream,
        on_good=partial(split.note, recorder),
    )
    await generator.warm(min(_WARM, max(1, int(plan.arrivals.rps / plan.workers))))
    # Both clocks are read together: due times are on the monotonic one.
    now, start = time.time(), time.perf_counter()
    late_s = max(0.0, now - plan.start_at)
    start += max(0.0, plan.start_at - now)
    background = [asyncio.create_task(_resign(generator, plan, sign)), asyncio.create_task(_obey(generator, stop))]
    if watch is not None:
        background.append(asyncio.create_task(_watch(generator, start, watch, stop)))
    try:
        due = due_times(plan.arrivals, worker=plan.worker, workers=plan.workers, seed=plan.seed)
        await generator.run((at + lag_s for at in within(due, plan.window)), start)
    finally:
        await _cancel(background)
    return shard.encode(recorder, started_at=max(now, plan.start_at), late_s=late_s, stopped=generator.stopped)


async def _cancel(tasks: list[asyncio.Task[None]]) -> None:
    """Raises the error of a task that failed: without the watch a run would not hear that it must stop."""
    for task in tasks:
        task.cancel()
    for outcome in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(outcome, Exception):
            raise outcome


async def _resign(generator: Generator, plan: Plan, sign: request.Sign | None) -> None:
    while sign is not None:
        await asyncio.sleep(request.RESIGN_S)
        generator.payload = _payload(plan, sign)


async def _obey(generator: Generator, stop: asyncio.Event) -> None:
    await stop.wait()
    generator.stop()


async def _watch(generator: Generator, start: float, watch: Watch, stop: asyncio.Event) -> None:
    while True:
        await asyncio.sleep(_WATCH_S)
        # In a thread: it may call AWS, and the generator's loop must not wait for that.
        stops: Awaitable[bool] = asyncio.to_thread(watch, generator.recorder, time.perf_counter() - start)
        if await stops:
            stop.set()
            return


def _payload(plan: Plan, sign: request.Sign | None) -> bytes:
    headers = {"content-type": "application/json"} if plan.body else {}
    return request.build(plan.method, plan.url, headers, plan.body, sign)
