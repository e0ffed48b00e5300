"""Drives the stage past its throttle until it says 429, and sees it recover."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator

import uvloop

from ..core.config import Throttle
from ..core.expectations import Outcome, judge, not_run
from ..core.fault_checks import THROTTLED, THROTTLING
from ..load.arrivals import Arrivals, due_times
from ..load.generator import Generator
from ..load.plan import Limits
from ..load.recorder import Recorder
from ..load.request import build
from ..load.wire import Wire
from ..ports import Aws, Reply
from .observe import facts_of
from .target import TIMEOUT_S, Target

PATH = "/health"  # costs no token
DRIVE_S = 6.0
_MS_EACH = 100  # what a request may take when connections are counted out; more of them would start more Lambdas
_ENOUGH = 8
_WARM_S, _LOOK_S = 1.5, 1.0
_RECOVERY_S = 10.0

Sleep = Callable[[float], None]


def run(
    throttle: Throttle, target: Target, aws: Aws, *, sleep: Sleep = time.sleep, drive_s: float = DRIVE_S
) -> Outcome:
    """The outcome of the check `throttling`, after driving for at most `drive_s`."""
    url = target.url + PATH
    good, limited, drove_s = _drive(url, throttle, target, aws, drive_s)
    if limited is None:
        return not_run(
            THROTTLING,
            f"{good} requests in {drove_s:.1f} s stayed within {throttle.rate_per_s:g}/s and a burst of "
            f"{throttle.burst}: more cannot be driven from here",
        )
    recovered = _recovers(url, target, aws, sleep)
    return judge(THROTTLING, THROTTLED.expects, {**facts_of(limited), "recovered": recovered, "driven": good})


def _drive(url: str, throttle: Throttle, target: Target, aws: Aws, drive_s: float) -> tuple[int, Reply | None, float]:
    """Requests as fast as they go, until enough were refused: (answered, a refusal as a client sees it, seconds)."""
    refusals: list[Reply] = []

    def on_bad(wire: Wire, status: int) -> None:
        if status == 429:
            refusals.append(_as_reply(wire, status))
            if len(refusals) >= _ENOUGH:
                generator.stop()

    recorder = Recorder()
    payload = build("GET", url, {}, b"", aws.endpoint if target.signed else None)
    connections = max(8, min(64, round(throttle.rate_per_s * _MS_EACH / 1_000)))
    limits = Limits(connections=connections, give_up_s=0.5)
    generator = Generator(url, payload, recorder, limits, on_bad=on_bad)
    wanted = Arrivals("constant", 2 * throttle.rate_per_s + throttle.burst, drive_s)
    began = time.perf_counter()
    uvloop.run(_driven(generator, due_times(wanted), throttle))
    return recorder.good, refusals[0] if refusals else None, time.perf_counter() - began


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
