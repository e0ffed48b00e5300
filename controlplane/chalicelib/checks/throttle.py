"""Drives the stage past its throttle until it says 429, and sees it recover."""

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

from .expectations import Outcome, judge, not_run
from .fault_checks import THROTTLED, THROTTLING
from .observe import facts_of
from .target import TIMEOUT_S, Target

PATH = "/health"  # costs no token
DRIVE_S = 6.0
_MS_EACH = 100  # what a request may take when connections are counted out; more of them would start more Lambdas
_ENOUGH = 8
_WARM_S, _LOOK_S = 1.5, 1.0
_RECOVERY_S = 10.0

# All at once: as many as the bucket holds and gets back while they arrive. Only where no user's Lambdas are at stake.
_ARRIVE_S, _MOST_AT_ONCE, _ANSWERED_S = 2.0, 400, 20.0

Sleep = Callable[[float], None]


def run(
    throttle: Throttle, target: Target, aws: Aws, *, sleep: Sleep = time.sleep, drive_s: float = DRIVE_S
) -> Outcome:
    """The outcome of the check `throttling`, after driving for at most `drive_s`.

    A machine that is too slow to drive past the throttle for a while may still exceed it for a moment; in an account
    that moment would start hundreds of Lambdas beside those that serve users, so it is for the embedded cloud.
    """
    url = target.url + PATH
    driven = _drive(url, throttle, target, aws, drive_s)
    at_once = ceil(throttle.burst + throttle.rate_per_s * _ARRIVE_S) + _ENOUGH
    if driven.refusal is None and aws.settings.upstream_faults_url and at_once <= _MOST_AT_ONCE:
        driven = _all_at_once(url, at_once, target, aws)
    if driven.refusal is None:
        return not_run(
            THROTTLING,
            f"{driven.good} requests in {driven.seconds:.1f} s stayed within {throttle.rate_per_s:g}/s and a burst of "
            f"{throttle.burst}: more cannot be driven from here",
        )
    recovered = _recovers(url, target, aws, sleep)
    facts = {**facts_of(driven.refusal), "recovered": recovered, "driven": driven.good}
    return judge(THROTTLING, THROTTLED.expects, facts)


@dataclass(frozen=True)
class _Seen:
    """good: requests that were answered; refusal: a 429 as a client sees it."""

    good: int
    refusal: Reply | None
    seconds: float


def _drive(url: str, throttle: Throttle, target: Target, aws: Aws, drive_s: float) -> _Seen:
    """Requests as fast as they go, until enough were refused."""
    connections = max(8, min(64, round(throttle.rate_per_s * _MS_EACH / 1_000)))
    limits = Limits(connections=connections, give_up_s=0.5)
    due = due_times(Arrivals("constant", 2 * throttle.rate_per_s + throttle.burst, drive_s))
    return _refused(url, limits, target, aws, lambda generator: _driven(generator, due, throttle), enough=_ENOUGH)


def _all_at_once(url: str, count: int, target: Target, aws: Aws) -> _Seen:
    """That many in one moment, each on a connection that is open already; all are waited for."""
    limits = Limits(connections=count, timeout_s=_ANSWERED_S)

    async def sent(generator: Generator) -> None:
        await generator.warm(count)
        await generator.run(iter([0.0] * count), time.perf_counter())

    # A recovery cannot be seen while the admitted ones still stand in line: no stop before they are answered.
    return _refused(url, limits, target, aws, sent, enough=count + 1)


def _refused(
    url: str,
    limits: Limits,
    target: Target,
    aws: Aws,
    drive: Callable[[Generator], Coroutine[None, None, None]],
    *,
    enough: int,
) -> _Seen:
    refusals: list[Reply] = []

    def on_bad(wire: Wire, status: int) -> None:
        if status == 429:
            refusals.append(_as_reply(wire, status))
            if len(refusals) >= enough:
                generator.stop()

    recorder = Recorder()
    payload = build("GET", url, {}, b"", aws.endpoint if target.signed else None)
    generator = Generator(url, payload, recorder, limits, on_bad=on_bad)
    began = time.perf_counter()
    uvloop.run(drive(generator))
    return _Seen(recorder.good, refusals[0] if refusals else None, time.perf_counter() - began)


async def _driven(generator: Generator, due: Iterator[float], throttle: Throttle) -> None:
    """Gives up early when what comes through is no more than the bucket gets back: it will never be empty."""
    running = asyncio.create_task(generator.run(due, time.perf_counter()))
    await asyncio.wait({running}, timeout=_WARM_S)
    before = generator.recorder.good
    await asyncio.wait({running}, timeout=_LOOK_S)
    if (generator.recorder.good - before) / _LOOK_S < throttle.rate_per_s:
        generator.stop()
    await running


def _as_reply(wire: Wire, status: int) -> Reply:
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in wire.headers.items()}
    return Reply(status, headers, wire.body, (wire.end - wire.sent) * 1_000)


def _recovers(url: str, target: Target, aws: Aws, sleep: Sleep) -> bool:
    """Whether three requests in a row are answered, after the pause that a client is told to make."""
    waited, pause = 0.0, 1.0
    while waited < _RECOVERY_S:
        sleep(pause)
        waited += pause
        if all(_is_good(url, target, aws) for _ in range(3)):
            return True
        pause *= 1.5
    return False


def _is_good(url: str, target: Target, aws: Aws) -> bool:
    return aws.endpoint.call("GET", url, signed=target.signed, timeout_s=TIMEOUT_S).status == 200
