"""Runs one call of one phase: loads what it may know, skips it if nothing changed, records what it did.

The record is written before the answer: whoever reads it sees what happened, even if Step Functions never hears of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chalicelib.domain.codec import decode
from chalicelib.domain.errors import Aborted, LockLost, PhaseFailed, RolloutError, Throttled
from chalicelib.domain.model import LEASE_S, Action, Deployment, Environment, Lock, PhaseRecord, PhaseStatus
from chalicelib.domain.times import Clock, stamp
from chalicelib.ports import Aws

from . import registry
from .alias_guard import fenced
from .phase import Request, Result, Results, Status, Waits
from .recording import opened, put, put_failure, put_result
from .skip import Load, skip_or_run

_INLINE_MAP = 40

# These end a deployment, so they must run even when it was aborted or has lost its lock.
_ENDING = frozenset({"roll_back", "record_outcome"})
_ENDED = (PhaseStatus.SUCCEEDED, PhaseStatus.SKIPPED)


@dataclass(frozen=True, slots=True)
class Task:
    """What the state machine hands to every Lambda. `error` is what an ASL Catch saw: `{Error, Cause}`;
    `token` is there for a step that waits until someone answers it."""

    deployment_id: str
    environment: str
    action: Action
    execution_arn: str
    error: Mapping[str, str] | None = None
    token: str = ""


def run(name: str, event: Mapping[str, Any], aws: Aws, clock: Clock, load: Load = registry.load) -> dict[str, Any]:
    """One call of the phase or step of that name.

    Answers `{status, poll_after_s, summary, map}` for the ASL; raises what the phase raises, once that is on record.
    """
    task = decode(Task, dict(event))
    deployment = aws.records.deployment(task.deployment_id)
    recorded = {phase.name: phase for phase in aws.records.phases(deployment.id)}
    before = recorded.get(name)
    if before and before.status in _ENDED:
        # Step Functions may call twice: at least once is all that it promises.
        return _answer(Result(Status(before.status.value), before.summary))
    now = clock()
    record = opened(name, before, stamp(now))
    hold = Lock(deployment.id, task.execution_arn, now.timestamp() + LEASE_S)
    results = {phase.name: phase.evidence for phase in recorded.values() if phase.status in _ENDED}
    try:
        environment = _guard(deployment, name, hold, aws)
        _announce(deployment, record, hold, aws)
        request = _request(deployment, environment, record, results, task, now)
        result = skip_or_run(name, request, fenced(aws, deployment.environment, hold), clock, load)
    except Throttled:
        raise  # Step Functions tries again: the phase is still running
    except RolloutError as error:
        put_failure(deployment, record, hold, stamp(clock()), error, aws)
        raise
    except Exception as error:
        unexpected = PhaseFailed(
            f"{name} met an error that it does not know: {type(error).__name__}: {error}",
            code="InternalError",
            remedy="This is a fault of ours. The Lambda's log has the traceback.",
        )
        put_failure(deployment, record, hold, stamp(clock()), unexpected, aws)
        raise
    put_result(deployment, record, hold, stamp(clock()), result, aws)
    return _answer(result)


def _answer(result: Result[object]) -> dict[str, Any]:
    answer = {"status": result.status.value, "poll_after_s": result.poll_after_s, "summary": result.summary}
    if not result.fan_out:
        return {**answer, "map": "NONE"}
    # An inline Map runs forty at a time; workers that are to begin together need a distributed one beyond that.
    kind = "INLINE" if result.fan_out <= _INLINE_MAP else "DISTRIBUTED"
    return {**answer, "map": kind, "workers": list(range(result.fan_out))}


def _guard(deployment: Deployment, name: str, hold: Lock, aws: Aws) -> Environment:
    """The environment, if this deployment may still touch it; the lease of its lock is renewed."""
    if name in _ENDING:
        return _to_be_ended(deployment, hold, aws)
    if deployment.abort_requested:
        raise Aborted(f"deployment {deployment.id} was asked to stop before {name}")
    if deployment.status.is_final:
        raise LockLost(f"deployment {deployment.id} has ended already")
    aws.records.renew_lock(deployment.environment, hold)
    return aws.records.environment(deployment.environment)


def _to_be_ended(deployment: Deployment, hold: Lock, aws: Aws) -> Environment:
    """The environment, whoever holds it. When that is another execution of this deployment, it was stopped: what its
    last Lambda, which nobody has stopped, still means to do is refused from now on."""
    held = aws.records.environment(deployment.environment).lock
    if held and held.deployment_id == deployment.id:
        aws.records.renew_lock(deployment.environment, hold, takes_over=True)
    return aws.records.environment(deployment.environment)


def _announce(deployment: Deployment, record: PhaseRecord, hold: Lock, aws: Aws) -> None:
    put(deployment, record, hold, aws)
    if record.polls > 1:
        return
    if record.name not in _ENDING:
        aws.records.update_deployment(deployment.id, {"current_phase": record.name})
    aws.records.add_event(deployment.id, str(record.started_at), f"{record.name}.started", {})


def _request(
    deployment: Deployment,
    environment: Environment,
    record: PhaseRecord,
    results: Mapping[str, Mapping[str, Any]],
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
    )
