"""What AWS finishes within seconds is polled inside the Lambda; longer waits are the state machine's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from chalicelib.engine.phase import Request, Result, Status, Waits
from chalicelib.engine.short_waits import PAUSES_S, poll
from chalicelib.ports import Aws

from tests.fakes import FakeAws
from tests.fakes.requests import NOW, request


@dataclass(frozen=True)
class Position:
    index: int = 0


class Polled:
    """A phase that is ready after so many calls, and what happened meanwhile."""

    def __init__(self, ready_after: int, step: Callable[[int], str] = lambda _call: "update") -> None:
        self.ready_after = ready_after
        self.step = step
        self.calls = 0
        self.slept: list[float] = []
        self.noted: list[object] = []

    def run(self, request: Request, aws: Aws) -> Result[object]:
        self.calls += 1
        if self.calls > self.ready_after:
            return Result.done("ready")
        return request.wait("waits", step=self.step(self.calls), cursor=Position(self.calls // 4))

    def poll(self, asking: Request) -> Result[object]:
        aws = FakeAws().as_aws()
        return poll(self.run, asking, aws, lambda: NOW, self.slept.append, lambda each: self.noted.append(each.cursor))


@pytest.mark.parametrize("ready_after", [0, 1, len(PAUSES_S)])
def test_what_is_ready_within_the_pauses_ends_in_one_call_of_the_state_machine(ready_after: int) -> None:
    phase = Polled(ready_after)
    assert phase.poll(request()).status is Status.SUCCEEDED
    assert phase.slept == list(PAUSES_S[:ready_after])


def test_what_takes_longer_is_left_to_the_state_machine_with_its_first_pause() -> None:
    phase = Polled(len(PAUSES_S) + 1)
    result = phase.poll(request())
    assert (result.status, result.poll_after_s, result.waits) == (Status.IN_PROGRESS, 1, Waits("update", 1))
    assert sum(phase.slept) == pytest.approx(sum(PAUSES_S))
    assert sum(PAUSES_S) <= 4  # beside the phase's own work it must fit into every Lambda's time


def test_a_wait_that_the_state_machine_has_begun_is_not_polled_here() -> None:
    phase = Polled(3)
    assert phase.poll(request(waits=Waits("update", 1))).waits == Waits("update", 2)
    assert (phase.calls, phase.slept) == (1, [])


def test_the_next_step_may_wait_briefly_too() -> None:
    phase = Polled(3, step=lambda call: "create" if call < 3 else "execute")
    assert phase.poll(request()).status is Status.SUCCEEDED


def test_only_a_cursor_that_has_moved_is_recorded() -> None:
    phase = Polled(8)
    phase.poll(request())
    assert phase.noted == [Position(0), Position(1), Position(2)]


def test_a_pause_that_is_part_of_the_test_is_never_shortened() -> None:
    """The steps of a shift and the looks of a bake are time in which users are watched."""
    slept: list[float] = []
    asking = request()
    watched: Result[object] = Result.in_progress("watching", poll_after_s=1)
    result = poll(lambda _request, _aws: watched, asking, FakeAws().as_aws(), lambda: NOW, slept.append, lambda _: None)
    assert (result, slept) == (watched, [])
