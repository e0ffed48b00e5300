"""Drives the stage above its throttle until it answers 429, then checks that it recovers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from math import ceil

import uvloop

from chalicelib.domain.aws.http import Reply
from chalicelib.domain.config import Throttle
from chalicelib.load.arrivals import Arrivals, due_times
from chalicelib.load.generator import Generator
from chalicelib.load.plans import Limits
from chalicelib.load.recorder import Recorder
from chalicelib.load.request import build
from chalicelib.load.wire import Wire
from chalicelib.ports import Aws

from .expectations import CheckOutcome, judge, not_run
from .fault_checks import THROTTLED, THROTTLING
from .observe import facts_of
from .places import MOST_AT_ONCE
from .target import TIMEOUT_S, Target

PATH = "/health"  # costs no token
DRIVE_S = 6.0
_MS_EACH = 100  # assumed duration of a request; more connections would start more Lambdas
_ENOUGH = 8  # refusals after which the drive stops
_WARM_S, _MEASURE_S = 1.5, 1.0
_RECOVERY_S, _FIRST_PAUSE_S = 10.0, 0.25

# A burst: more requests than the token bucket holds and regains while they arrive. In the embedded cloud only.
_ARRIVAL_S, _LARGEST_BURST, _BURST_TIMEOUT_S = 2.0, 400, 20.0

Sleep = Callable[[float], None]


def drive(
    throttle: Throttle, target: Target, aws: Aws, *, sleep: Sleep = time.sleep, drive_s: float = DRIVE_S
) -> CheckOutcome:
    """The outcome of the check `throttling`, after driving for at most `drive_s`; NOT RUN when no 429 came.

    A machine that is too slow to exceed the rate may still exceed the burst. In an account such a burst would start
    hundreds of Lambdas beside those that serve users, so only the embedded cloud gets it. Where Lambda's concurrency
    leaves room for few requests at once, no more are sent at once: its refusals are not the stage's.
    """
    url = target.url + PATH
    driven = _drive_steadily(url, throttle, target, aws, drive_s)
    burst = ceil(throttle.burst + throttle.rate_per_s * _ARRIVAL_S) + _ENOUGH
    may_burst = bool(aws.settings.upstream_faults_url) and burst <= _LARGEST_BURST and not _is_short(target)
    if driven.refusal is None and may_burst:
        driven = _drive_burst(url, burst, target, aws)
    if driven.refusal is None:
        return not_run(
            THROTTLING,
            f"{driven.good} requests in {driven.seconds:.1f} s stayed within {throttle.rate_per_s:g}/s and a burst of "
            f"{throttle.burst}: "
            + ("Lambda's concurrency leaves" if _is_short(target) else "this machine has")
            + " no room for more",
        )
    recovered = _recovers(url, target, aws, sleep)
    facts = {**facts_of(driven.refusal), "recovered": recovered, "driven": driven.good}
    return judge(THROTTLING, THROTTLED.expects, facts)


def _is_short(target: Target) -> bool:
    """Whether Lambda's concurrency bounds how many requests may be under way."""
    return target.at_once < MOST_AT_ONCE


@dataclass(frozen=True, slots=True)
class _Driven:
    """good: requests that were answered with 2xx or 3xx; refusal: the first 429, None when there was none."""

    good: int
    refusal: Reply | None
    seconds: float


def _drive_steadily(url: str, throttle: Throttle, target: Target, aws: Aws, drive_s: float) -> _Driven:
    """Send at more than twice the rate, until enough requests were refused."""
    wanted = max(8, min(64, round(throttle.rate_per_s * _MS_EACH / 1_000)))
    connections = min(wanted, target.at_once) if _is_short(target) else wanted
    limits = Limits(connections=connections, give_up_s=0.5)
    due = due_times(Arrivals("constant", 2 * throttle.rate_per_s + throttle.burst, drive_s))
    return _drive(url, limits, target, aws, lambda generator: _run(generator, due, throttle), enough=_ENOUGH)


def _drive_burst(url: str, count: int, target: Target, aws: Aws) -> _Driven:
    """Send `count` requests at once, each on a connection that is open already, and wait for all answers."""
    limits = Limits(connections=count, timeout_s=_BURST_TIMEOUT_S)

    async def send(generator: Generator) -> None:
        await generator.warm(count)
        await generator.run(iter([0.0] * count), time.perf_counter())

    # The recovery can be checked only when all admitted requests are answered, so this drive is never stopped early.
    return _drive(url, limits, target, aws, send, enough=count + 1)


def _drive(
    url: str,
    limits: Limits,
    target: Target,
    aws: Aws,
    send: Callable[[Generator], Coroutine[None, None, None]],
    *,
    enough: int,
) -> _Driven:
    """Let `send` drive a generator, which stops after `enough` 429s."""
    refusals: list[Reply] = []

    def on_bad(wire: Wire, status: int) -> None:
        if status == 429:
            refusals.append(_as_reply(wire, status))
            if len(refusals) >= enough:
                generator.stop()

    recorder = Recorder()
    payload = build("GET", url, {}, b"", aws.endpoint.sign if target.signed else None)
    generator = Generator(url, payload, recorder, limits, on_bad=on_bad)
    began = time.perf_counter()
    uvloop.run(send(generator))
    return _Driven(recorder.good, refusals[0] if refusals else None, time.perf_counter() - began)


async def _run(generator: Generator, due: Iterator[float], throttle: Throttle) -> None:
    """Stop early when fewer requests get through than the bucket regains: it will never be empty."""
    running = asyncio.create_task(generator.run(due, time.perf_counter()))
    await asyncio.wait({running}, timeout=_WARM_S)
    before = generator.recorder.good
    await asyncio.wait({running}, timeout=_MEASURE_S)
    if (generator.recorder.good - before) / _MEASURE_S < throttle.rate_per_s:
        generator.stop()
    await running


def _as_reply(wire: Wire, status: int) -> Reply:
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in wire.headers.items()}
    return Reply(status, headers, wire.body, (wire.end - wire.sent) * 1_000)


def _recovers(url: str, target: Target, aws: Aws, sleep: Sleep) -> bool:
    """Whether, within ten seconds, three requests in a row succeed after a pause."""
    waited, pause = 0.0, _FIRST_PAUSE_S
    while waited < _RECOVERY_S:
        sleep(pause)
        waited += pause
        if all(_is_good(url, target, aws) for _ in range(3)):
            return True
        pause *= 1.5
    return False


def _is_good(url: str, target: Target, aws: Aws) -> bool:
    return aws.endpoint.call("GET", url, signed=target.signed, timeout_s=TIMEOUT_S).status == 200
