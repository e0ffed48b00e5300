"""Every fault at every call of every scene, and what came of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from chalicelib.domain.names import Names
from chalicelib.monitoring import fire

from tests.fakes import FakeAws
from tests.faults.drive import Ended, drive
from tests.faults.injection import FAULTS, HTTP, Fault, Injector
from tests.faults.invariants import State, broken, lost_users, state_of, unhealed, unrecorded
from tests.faults.scenes import SCENES, Scene, of_the_next
from tests.faults.task import enter


@dataclass(frozen=True)
class Outcome:
    """scene, fault: their names. call: what failed. fired: how often. failures: invariants that did not hold."""

    scene: str
    fault: str
    call: str
    fired: int
    failures: tuple[str, ...]


@cache
def without_fault(name: str) -> tuple[tuple[str, ...], State, State]:
    """The calls of a run without faults, and the states before and after it. Raises AssertionError if it ends badly."""
    scene, injector = SCENES[name], Injector()
    fake = scene.world()
    before = state_of(fake)
    ended = drive(scene, fake, scene.ask(fake), injector)
    assert ended.error is None, f"{name}: {ended.error!r}"
    return tuple(injector.calls), before, state_of(fake)


def outcomes(names: tuple[str, ...], step: int) -> Iterator[Outcome]:
    """One outcome for each scene, fault and n-th call, another first one for each fault."""
    for name in names:
        calls = without_fault(name)[0]
        for number, fault in enumerate(FAULTS):
            for at in range(number % step, len(calls), step):
                yield strike(name, fault, at)


def strike(name: str, fault_name: str, at: int) -> Outcome:
    """The scene with this fault at its n-th call, and after a failure the next deployment without one."""
    scene, fault = SCENES[name], FAULTS[fault_name]
    calls, before, whole = without_fault(name)
    fake, injector = scene.world(), Injector(fault, at)
    ended = drive(scene, fake, scene.ask(fake), injector)
    judged = fault if _passes(scene, fault, calls[at]) else FAULTS["access denied"]
    records = unrecorded(fake, ended, _misplaced(name), scene.ask(fake).deployment_id)
    failures = [*broken(before, state_of(fake), whole, ended, judged), *records]
    return Outcome(name, fault_name, calls[at], injector.fired, (*failures, *_next(scene, fake, whole, ended)))


def _passes(scene: Scene, fault: Fault, call: str) -> bool:
    """Whether the phase must end well. A proxy under test that does not answer is a reason to stop."""
    disturbed = scene.alone and fault.moment == "twice"
    return fault.transient and not disturbed and not (call in HTTP and fault.error is not None)


@cache
def _misplaced(name: str) -> tuple[str, ...]:
    """Where users are otherwise than on record before the scene begins."""
    scene = SCENES[name]
    fake = scene.world()
    enter(fake, scene.phase, scene.ask(fake), scene.between)
    return tuple(lost_users(fake))


def _next(scene: Scene, fake: FakeAws, whole: State, ended: Ended) -> Iterator[str]:
    if ended.error is None or not scene.next_id:
        return
    again = drive(scene, fake, of_the_next(scene, scene.ask(fake)), Injector())
    fire.delete_test_queues(Names("dev"), fake.as_aws())  # as the last phase of each deploy does
    yield from unhealed(state_of(fake), whole, again)
