"""Delivers an errand until nothing is left to do, with a fault at one call of the first delivery."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from chalicelib.domain.errors import RolloutError
from chalicelib.lifecycle.execution import SETTLE, deployment_of

from tests.fakes import FakeAws
from tests.faults.errands import ERRANDS, Errand
from tests.faults.injection import FAULTS, Fault, Injector, Killed, struck
from tests.faults.run import Outcome

State = Mapping[str, Any]
# These belong to an execution of the rollout.
_NOT_HERE = frozenset({"execution stopped", "abort requested"})
ERRAND_FAULTS = {name: fault for name, fault in FAULTS.items() if name not in _NOT_HERE}


def errand_outcomes(name: str, step: int) -> Iterator[Outcome]:
    """All faults of an errand at each n-th call, another first one for each fault."""
    calls = without_fault(name)[0]
    for number, fault in enumerate(ERRAND_FAULTS):
        for at in range(number % step, len(calls), step):
            injector, failures = broken(name, fault, at)
            yield Outcome(name, fault, calls[at], injector.fired, tuple(failures))


def run(errand: Errand, injector: Injector) -> tuple[FakeAws, list[BaseException]]:
    """All deliveries that it takes, of which the first one meets the fault; the errors that a process ended with."""
    fake = errand.world()
    errors: list[BaseException] = []
    fake.calls_of_the_sweeper = []  # type: ignore[attr-defined]
    injector.moments["twice"] = lambda: _quietly(errand, fake)
    aws = struck(fake, injector)
    for _ in range(errand.deliveries):
        injector.dead = False
        try:
            if errand.deliver(fake, aws):
                break
        except (Exception, Killed) as error:  # noqa: BLE001 - the Lambda ends, and its event is delivered again
            errors.append(error)
    return fake, errors


def _quietly(errand: Errand, fake: FakeAws) -> None:
    """The other delivery: its answer goes to nobody here."""
    errand.deliver(fake, fake.as_aws())


def state_of(fake: FakeAws) -> State:
    """What must be the same whatever happened on the way; what is delivered at least once counts once."""
    records, executions = fake.records, fake.executions
    what = {name: f"{item.action.value} of {item.environment}" for name, item in records.started.items()}
    locks = {name: lock.deployment_id for name in records.attributes if (lock := records.environment(name).lock)}
    events = {(what[name], event["kind"]) for name, events in records.noted.items() for event in events}
    return {
        "deployments": sorted(
            (what[item.id], item.status.value, item.waiting, item.abort_requested) for item in records.started.values()
        ),
        "locks": {name: what[holder] for name, holder in locks.items()},
        "executions": sorted({what[deployment_of(name)] + SETTLE * (SETTLE in name) for name in executions.started}),
        "answered": executions.answered,
        "claims": len(records.claims),
        "events": sorted(events),
        "night": {name: sorted((item.environment, item.verdict.value) for item in checked.values())
                  for name, checked in fake.nights.checked.items()},
        "fleets": {id_: (state.deployment.status.value, [wave.failed for wave in state.waves],
                         [member.status.value for member in state.members])
                   for id_, state in fake.fleets.states.items()},
        "nights": {name: summary.get("good") for name, summary in fake.nights.summaries.items()},
        "secrets": {name: (dict(kept.info.stages), kept.texts) for name, kept in fake.secrets.kept.items()},
        "bus": sorted(set(getattr(getattr(fake, "events", None), "published", []))),
        "webhooks": sorted({sent.url for sent in fake.endpoint.sent} | _to_deliver(fake)),
        "objects": sorted(fake.artifacts.objects),
    }  # fmt: skip


def _to_deliver(fake: FakeAws) -> set[str]:
    """The webhooks that the queue will call again."""
    waiting = (fake.records.deployment(message["deployment_id"]) for message in fake.retries.messages)
    return {deployment.config.webhook.url for deployment in waiting if deployment.config.webhook}


def broken(name: str, fault_name: str, at: int) -> tuple[Injector, list[str]]:
    """The errand with this fault at its n-th call, and what does not hold afterwards."""
    errand, fault = ERRANDS[name], ERRAND_FAULTS[fault_name]
    calls, whole = without_fault(name)
    injector = Injector(fault, at)
    if fault_name == "deleted underneath" and calls[at].startswith(("records.", "executions.")):
        return injector, []  # a record or a token that is really gone is a fact to act on: tests/unit/lifecycle
    fake, errors = run(errand, injector)
    if not injector.fired:
        return injector, []
    nameless = [error for error in errors if isinstance(error, RolloutError) and not error.message]
    failures = [f"an error says nothing: {error!r}" for error in nameless]
    after = state_of(fake)
    differs = [part for part in whole if after[part] != whole[part] and not _is_reported(errand, fault, part, after)]
    return injector, [*failures, *(f"{part}: {after[part]} instead of {whole[part]}" for part in differs)]


def _is_reported(errand: Errand, fault: Fault, part: str, after: State) -> bool:
    """Whether somebody says what is missing: LoadTest of a lost worker, the night of a check that was refused, the
    record of a fleet's member that could not begin."""
    if errand.may_be_lost:
        return part == "objects"
    refused = any(verdict == "failed" for checked in after["night"].values() for _, verdict in checked)
    failed = any("FAILED" in members for _, _, members in after["fleets"].values())
    return not fault.transient and (refused or failed)


@cache
def without_fault(name: str) -> tuple[tuple[str, ...], State]:
    """The calls of an errand that meets no fault, and the state after it."""
    injector = Injector()
    fake, errors = run(ERRANDS[name], injector)
    assert not errors, f"{name}: {errors!r}"
    return tuple(injector.calls), state_of(fake)
