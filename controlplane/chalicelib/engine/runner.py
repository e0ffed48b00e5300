"""Runs one call of one phase: loads its request, skips it if nothing changed, records what it did.

The record is written before the answer, so that readers see what happened even if Step Functions never gets the answer.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from chalicelib.domain.codec import decode
from chalicelib.domain.errors import Aborted, LockLost, PhaseFailed, RolloutError, Throttled
from chalicelib.domain.model import LEASE_S, Action, Deployment, Environment, Evidence, Lock, PhaseRecord
from chalicelib.domain.times import Clock, stamp
from chalicelib.ports import Aws

from . import registry, short_waits
from .alias_guard import guard_aliases
from .lost_records import recover
from .phase import Definition, Phase, Request, Result, Results, Run, Status, Waits
from .recording import open_record, put, put_failure, put_result
from .short_waits import Note, Sleep
from .skip import Load, skip_or_run

_INLINE_MAP = 40

# These end a deployment, so they must run even when it was aborted or has lost its lock.
_ENDING = frozenset({"roll_back", "restore_settings", "revert_upgrade", "record_outcome"})


@dataclass(frozen=True, slots=True)
class Task:
    """The event that the state machine sends to every Lambda.

    error: what an ASL Catch caught, `{Error, Cause}`. token: Step Functions' task token, for a step that waits for an
    answer.
    """

    deployment_id: str
    environment: str
    action: Action
    execution_arn: str
    error: Mapping[str, str] | None = None
    token: str = ""


def run(
    name: str,
    event: Mapping[str, object],
    aws: Aws,
    clock: Clock,
    load: Load = registry.load,
    sleep: Sleep = time.sleep,
) -> dict[str, object]:
    """One call of the phase or step of that name.

    Answers `{status, poll_after_s, summary, next, map, workers?}` for the ASL. Records and then raises what the phase
    raises.
    """
    aws.meter.begin()
    task = decode(Task, dict(event))
    try:
        return _run(name, task, aws, clock, load, sleep)
    except Exception:
        # The other Lambda of a task that was delivered twice has ended the phase meanwhile: its end counts.
        with suppress(RolloutError):
            if done := _done_on_record(name, task, aws):
                return _answer(done)
        raise


def _done_on_record(name: str, task: Task, aws: Aws) -> Result[object] | None:
    records = {phase.name: phase for phase in aws.records.phases(task.deployment_id)}
    return _recorded(records.get(name))


def _recorded(record: PhaseRecord | None) -> Result[object] | None:
    """What a phase has answered that is done; None for any other."""
    return Result(Status(record.status.value), record.summary) if record and record.status.is_done else None


def _run(name: str, task: Task, aws: Aws, clock: Clock, load: Load, sleep: Sleep) -> dict[str, object]:
    deployment = aws.records.deployment(task.deployment_id)
    aws = aws.at(deployment.config.target, name)
    recorded = {phase.name: phase for phase in aws.records.phases(deployment.id)}
    before = recorded.get(name)
    if done := _recorded(before):
        # Step Functions invokes a task at least once, so the same call may arrive twice.
        return _answer(done)
    now = clock()
    record = open_record(name, before, stamp(now))
    lock = Lock(deployment.id, task.execution_arn, now.timestamp() + LEASE_S)
    results = {phase.name: phase.evidence for phase in recorded.values() if phase.status.is_done}
    try:
        environment = _guard(deployment, name, lock, aws)
        _announce(deployment, record, lock, aws)
        request = _request(deployment, environment, record, results, task, now)
        patient = _patient(load, partial(_note, deployment, record, lock, clock, aws), clock, sleep)
        result = skip_or_run(name, request, guard_aliases(aws, deployment.environment, lock), clock, patient)
    except Throttled:
        raise  # Step Functions tries again: the phase is still running
    except RolloutError as raised:
        error = _explained(raised, deployment.environment, aws)
        put_failure(deployment, record, lock, stamp(clock()), error, aws)
        raise error from raised.__cause__
    except Exception as error:
        put_failure(deployment, record, lock, stamp(clock()), _internal_error(name, error), aws)
        raise
    put_result(deployment, record, lock, stamp(clock()), result, aws)
    return _answer(result)


def _patient(load: Load, note: Note, clock: Clock, sleep: Sleep) -> Load:
    """`load`, for phases that poll short waits themselves."""

    def loaded(name: str) -> Phase:
        phase = load(name)
        patient = partial(_poll, phase.run, clock, sleep, note)
        return Definition(patient, phase.evidence, phase.cursor, phase.fingerprint, phase.plan, phase.unchanged)

    return loaded


def _poll(run: Run[object], clock: Clock, sleep: Sleep, note: Note, request: Request, aws: Aws) -> Result[object]:
    return short_waits.poll(run, request, aws, clock, sleep, note)


def _note(
    deployment: Deployment, record: PhaseRecord, lock: Lock, clock: Clock, aws: Aws, result: Result[object]
) -> None:
    """Record a step of the phase before the next one, as between two calls. Raises LockLost."""
    if record.name not in _ENDING:
        aws.records.renew_lock(deployment.environment, lock)
    put_result(deployment, record, lock, stamp(clock()), result, aws)


def _internal_error(name: str, error: Exception) -> PhaseFailed:
    return PhaseFailed(
        f"{name} failed with an unexpected error: {type(error).__name__}: {error}",
        code="InternalError",
        remedy="This is a bug in the control plane. The Lambda's log has the traceback.",
    )


def _answer(result: Result[object]) -> dict[str, object]:
    answer = {
        "status": result.status.value,
        "poll_after_s": result.poll_after_s,
        "summary": result.summary,
        "next": registry.pascal(result.next),
    }
    if not result.fan_out:
        return {**answer, "map": "NONE"}
    # An inline Map runs at most 40 iterations at once; more workers that start together need a distributed Map.
    kind = "INLINE" if result.fan_out <= _INLINE_MAP else "DISTRIBUTED"
    return {**answer, "map": kind, "workers": list(range(result.fan_out))}


def _guard(deployment: Deployment, name: str, lock: Lock, aws: Aws) -> Environment:
    """The environment, with the lease of its lock renewed. Raises Aborted or LockLost if this deployment may not
    change it any more."""
    if name in _ENDING:
        return _take_over(deployment, lock, aws)
    if deployment.abort_requested:
        raise Aborted(
            f"deployment {deployment.id} was stopped on request before {name}",
            remedy=f"POST /deployments/{deployment.id}/resume continues where it ended.",
        )
    if deployment.status.is_final:
        raise LockLost(f"deployment {deployment.id} has already ended")
    return _renewed(deployment, lock, aws)


def _renewed(deployment: Deployment, lock: Lock, aws: Aws) -> Environment:
    """Raises LockLost for a lost lock, which `run` explains, and for a lost record: without it this deployment would
    count as the first one, which users' aliases and settings follow unchecked."""
    name = deployment.environment
    aws.records.renew_lock(name, lock)
    environment = aws.records.environment(name)
    if not environment.is_known:
        raise _record_lost(name)
    return environment


def _explained(error: RolloutError, name: str, aws: Aws) -> RolloutError:
    """The error; that of the lost record where the lock went with it."""
    lost = isinstance(error, LockLost) and not aws.records.environment(name).is_known
    return _record_lost(name) if lost else error


def _record_lost(name: str) -> LockLost:
    return LockLost(
        f"the record of environment {name} was deleted during the deployment",
        remedy="It is rebuilt from the records of the deployments: deploy again. CloudTrail names who deleted it, "
        "where it logs data events.",
    )


def _take_over(deployment: Deployment, lock: Lock, aws: Aws) -> Environment:
    """Take over the lock from a stopped execution of this deployment; a late Lambda of that execution then gets
    LockLost. Another deployment's lock stays as it is. A record that someone deleted is rebuilt first, so that users go
    back to their release."""
    before = aws.records.environment(deployment.environment)
    if not before.is_known and not deployment.status.is_final:
        recover(before, aws)
        aws.records.take_lock_again(deployment.environment, lock)
    current = aws.records.environment(deployment.environment).lock
    if current and current.deployment_id == deployment.id:
        aws.records.renew_lock(deployment.environment, lock, takes_over=True)
    return aws.records.environment(deployment.environment)


def _announce(deployment: Deployment, record: PhaseRecord, lock: Lock, aws: Aws) -> None:
    put(deployment, record, lock, aws)
    if record.polls > 1:
        return
    if record.name not in _ENDING:
        aws.records.update_deployment(deployment.id, {"current_phase": record.name})
    aws.records.add_event(deployment.id, str(record.started_at), f"{record.name}.started", {})


def _request(
    deployment: Deployment,
    environment: Environment,
    record: PhaseRecord,
    results: Mapping[str, Evidence],
    task: Task,
    now: datetime,
) -> Request:
    return Request(
        deployment_id=deployment.id,
        environment=environment,
        action=deployment.action,
        config=deployment.config,
        options=deployment.options,
        now=now,
        started_at=datetime.fromisoformat(str(record.started_at)),
        seed=deployment.id,
        cursor=record.cursor,
        waits=Waits(record.waits_for, record.waits),
        results=Results(results),
        error=task.error,
        token=task.token,
        promotion=deployment.promotion,
        pinned=deployment.bundle,
    )
