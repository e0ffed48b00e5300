"""Drives a scene as the state machine does: it calls again while a phase is in progress, and retries what it retries
there (statemachine/rollout.asl.yaml: Throttled five times, a dead Lambda once)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from chalicelib.domain.errors import Throttled
from chalicelib.engine.phase import Request, Status

from tests.fakes import FakeAws
from tests.fakes.requests import next_call
from tests.faults.injection import Injector, Killed, struck
from tests.faults.scenes import Scene

_CALLS = 80
_RETRIES = {Throttled: 5, Killed: 1}
_STUBBORN = 6  # retries of any error, of the steps that take a release back


@dataclass(frozen=True)
class Ended:
    """How it ended: `error`, or a good end without one."""

    error: BaseException | None = None


def drive(scene: Scene, fake: FakeAws, current: Request, injector: Injector) -> Ended:
    """From the first call to the end; at most 80 calls."""
    retried: dict[type[BaseException], int] = {}
    with struck(fake, injector) as aws:
        for _ in range(_CALLS):
            result: Any = None
            try:
                result = scene.run(current, aws)
            except (Throttled, Killed) as error:
                retried[type(error)] = retried.get(type(error), 0) + 1
                if retried[type(error)] > _RETRIES[type(error)]:
                    return Ended(error)
                continue
            except Exception as error:  # noqa: BLE001 - what the runner records as InternalError is an end, too
                retried[Exception] = retried.get(Exception, 0) + 1
                if not scene.stubborn or retried[Exception] > _STUBBORN:
                    return Ended(error)
                continue
            retried.clear()
            if result.status is not Status.IN_PROGRESS:
                return Ended()
            scene.between(fake, result.cursor)
            current = next_call(current, result, after_s=max(1, result.poll_after_s))
    return Ended(AssertionError(f"{scene.phase} has not ended after {_CALLS} calls"))
