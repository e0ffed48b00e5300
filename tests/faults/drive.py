"""Drives a scene as the state machine does, with a fault at one of its calls, to the end that a rollout then has."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from chalicelib.domain.errors import RolloutError
from chalicelib.engine.phase import Request

from tests.fakes import FakeAws
from tests.faults.injection import Injector, struck
from tests.faults.scenes import Scene
from tests.faults.task import Stopped, Task, aborted, enter, finish, settle


@dataclass(frozen=True)
class Ended:
    """How it ended: `error`, or a good end without one. endings: errors of the steps that end a rollout."""

    error: BaseException | None = None
    endings: Sequence[BaseException] = ()


def drive(scene: Scene, fake: FakeAws, request: Request, injector: Injector) -> Ended:
    """From the first call to the end, and after a failure through the steps that take a rollout back."""
    task = enter(fake, scene.phase, request, scene.between)
    task.runs = scene.runs
    task.begins = lambda: setattr(injector, "dead", False)
    stopped: list[BaseException] = []
    injector.moments |= {
        "twice": lambda: _deliver_again(task),
        "stop": lambda: stopped.extend([Stopped("stopped from outside"), *settle(task)]),
        "abort": lambda: fake.records.update_deployment(task.deployment.id, {"abort_requested": True}),
    }
    error = _run(task, injector, stopped)
    if stopped:
        return Ended(stopped[0], stopped[1:])
    error = error or (None if scene.phase == "record_outcome" else aborted(task))
    if error is None:
        return Ended()
    caught = injector.fault.caught if injector.fault else ""
    return Ended(error, finish(task, error, caught))


def _run(task: Task, injector: Injector, stopped: list[BaseException]) -> BaseException | None:
    """One Lambda after the other; of a stopped execution only the one that runs goes on to its end."""
    aws: Any = struck(task.fake, injector)
    if injector.fault is None or injector.fault.moment != "stop":
        return task.run(aws)
    between = task.between

    def check(fake: FakeAws, cursor: Any) -> None:
        if stopped:
            raise Stopped("nobody calls the next Lambda")
        between(fake, cursor)

    task.between = check
    try:
        return task.run(aws)
    except Stopped as error:
        return error


def _deliver_again(task: Task) -> None:
    """Another Lambda gets the same event and runs to its end, while the first one is at work; its answer gets lost."""
    with suppress(RolloutError):
        replace(task, begins=lambda: None).call(task.fake.as_aws())
    task.await_aws()
