"""Every fault at every call of every scene, and what came of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tests.faults.drive import drive
from tests.faults.injection import FAULTS, Fault, Injector
from tests.faults.invariants import broken, state_of, unhealed
from tests.faults.scenes import SCENES, Scene, of_another_deployment


@dataclass(frozen=True)
class Outcome:
    """scene, fault: their names. call: what failed. fired: how often. failures: invariants that did not hold."""

    scene: str
    fault: str
    call: str
    fired: int
    failures: tuple[str, ...]


def calls_of(scene: Scene) -> list[str]:
    """The calls of a run without faults, which must end well."""
    fake, injector = scene.world(), Injector()
    ended = drive(scene, fake, scene.ask(fake), injector)
    assert ended.error is None, f"{scene.phase}: {ended.error!r}"
    return injector.calls


def outcomes(names: tuple[str, ...] = tuple(SCENES), every: int = 1) -> Iterator[Outcome]:
    """One outcome for each scene, fault and call. every: only each n-th call of a scene."""
    for name in names:
        calls = calls_of(SCENES[name])
        for fault in FAULTS:
            for at in range(0, len(calls), every):
                yield strike(name, fault, at, calls[at])


def strike(name: str, fault_name: str, at: int, call: str) -> Outcome:
    """The scene with this fault at its n-th call, and the next deployment without one."""
    scene, fault = SCENES[name], FAULTS[fault_name]
    whole, before = _whole(scene), state_of(scene.world())
    fake, injector = scene.world(), Injector(fault, at)
    ended = drive(scene, fake, scene.ask(fake), injector)
    failures = [*broken(before, state_of(fake), whole, ended, fault), *_next(scene, fake, whole, ended, fault)]
    return Outcome(name, fault_name, call, injector.fired, tuple(failures))


def _whole(scene: Scene) -> dict[str, object]:
    fake = scene.world()
    drive(scene, fake, scene.ask(fake), Injector())
    return dict(state_of(fake))


def _next(scene: Scene, fake: object, whole: dict[str, object], ended: object, fault: Fault) -> Iterator[str]:
    if getattr(ended, "error", None) is None:
        return
    again = drive(scene, fake, of_another_deployment(scene.ask(fake)), Injector())  # type: ignore[arg-type]
    yield from unhealed(state_of(fake), whole, again)  # type: ignore[arg-type]
