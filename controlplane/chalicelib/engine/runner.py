"""Runs one call of one phase: loads what it may know, skips it if nothing changed, records what it did.

The record is written before the answer: whoever reads it sees what happened, even if Step Functions never hears of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from types import ModuleType
from typing import Any

from chalicelib.domain.codec import decode
from chalicelib.domain.errors import Aborted, LockLost, PhaseFailed, RolloutError, Throttled
from chalicelib.domain.model import LEASE_S, Action, Applied, Deployment, Environment, Lock, PhaseRecord, PhaseStatus
from chalicelib.domain.times import stamp
from chalicelib.ports import Aws

from . import registry
from .alias_guard import fenced
from .phase import Request, Result, Status

Clock = Callable[[], datetime]
Load = Callable[[str], ModuleType]

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
    record = _opened(name, before, stamp(now))
    hold = Lock(deployment.id, task.execution_arn, now.timestamp() + LEASE_S)
    results = {phase.name: phase.evidence for phase in recorded.values() if phase.status in _ENDED}
    try:
        environment = _guard(deployment, name, hold, aws)
        _announce(deployment, record, hold, aws)
        request = _request(deployment, environment, record, results, task, now)
        result = _skip_or_run(name, request, fenced(aws, deployment.environment, hold), clock, load)
    except Throttled:
        raise  # Step Functions tries again: the phase is still running
    except RolloutError as error:
        _record_failure(aws, deployment, record, hold, stamp(clock()), error)
        raise
    except Exception as error:
        unexpected = PhaseFailed(
            f"{name} met an error that it does not know: {type(error).__name__}: {error}",
            code="InternalError",
            remedy="This is a fault of ours. The Lambda's log has the traceback.",
        )
        _record_failure(aws, deployment, record, hold, stamp(clock()), unexpected)
        raise
    _record_result(aws, deployment, record, hold, stamp(clock()), result)
    return _answer(result)


def _answer(result: Result) -> dict[str, Any]:
    told = {"status": result.status.value, "poll_after_s": result.poll_after_s, "summary": result.summary}
    if not result.fan_out:
        return {**told, "map": "NONE"}
    # An inline Map runs forty at a time; workers that are to begin together need a distributed one beyond that.
    kind = "INLINE" if result.fan_out <= _INLINE_MAP else "DISTRIBUTED"
    return {**told, "map": kind, "workers": list(range(result.fan_out))}


def _opened(name: str, before: PhaseRecord | None, at: str) -> PhaseRecord:
    """The record of this call: a first one, or a poll further."""
    if before is None:
        return PhaseRecord(registry.number_of(name), name, PhaseStatus.RUNNING, at, polls=1)
    return replace(
        before,
        status=PhaseStatus.RUNNING,
        started_at=before.started_at or at,
        ended_at=None,
        error=None,
        polls=before.polls + 1,
    )


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
    _put(deployment, record, hold, aws)
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
        results=results,
        error=task.error,
        token=task.token,
    )


def _skip_or_run(name: str, request: Request, aws: Aws, clock: Clock, load: Load) -> Result:
    module = load(name)
    if wants := getattr(module, "WANTS_PLAN", ""):
        request = replace(request, plan=_plan(request, aws, load, ahead=wants == "ahead"))
    if not hasattr(module, "fingerprint") or request.action is not Action.DEPLOY:
        result: Result = module.run(request, aws)
        return result
    first_call = not request.cursor
    if first_call:
        if not request.options.force and _unchanged(module, name, request, aws):
            applied = request.environment.applied[name]
            since = f"Nothing changed since deployment {applied.deployment_id} ({applied.at[:19]}Z)"
            return Result(Status.SKIPPED, since, applied.evidence)
        # From here on the old fingerprint may be a lie, so it goes before anything is touched.
        aws.records.set_applied(request.environment.name, name, None, holder=request.deployment_id)
    result = module.run(request, aws)
    if result.status is not Status.IN_PROGRESS:
        seen = replace(request, results={**request.results, name: result.evidence})
        kept = Applied(module.fingerprint(seen, aws), request.deployment_id, stamp(clock()), result.evidence)
        aws.records.set_applied(request.environment.name, name, kept, holder=request.deployment_id)
    return result


def _unchanged(module: ModuleType, name: str, request: Request, aws: Aws) -> bool:
    applied = request.environment.applied.get(name)
    if applied is None:
        return False
    seen = replace(request, results={**request.results, name: applied.evidence})
    return bool(module.fingerprint(seen, aws) == applied.fingerprint)


def _plan(request: Request, aws: Aws, load: Load, *, ahead: bool) -> dict[str, bool]:
    """Whether each phase that has a fingerprint would be skipped now: of those that ended in this deployment, or, when
    looking ahead, of all that were ever applied."""
    results = dict(request.results)
    if ahead:
        results = {name: one.evidence for name, one in request.environment.applied.items()} | results
    informed = replace(request, results=results)
    found: dict[str, bool] = {}
    for name in registry.PHASES:
        module = load(name)
        if hasattr(module, "fingerprint") and name in results:
            try:
                found[name] = _unchanged(module, name, informed, aws)
            except KeyError:
                # A phase before it was never applied, so that what this one was made from is not there any more.
                found[name] = False
    return found


def _put(deployment: Deployment, record: PhaseRecord, hold: Lock, aws: Aws) -> bool:
    """Write the record, unless another execution is ending this deployment or has done so: the last word is that one's.
    False when it was not written."""
    try:
        aws.records.put_phase_as(deployment.environment, hold, record)
    except LockLost:
        held = aws.records.environment(deployment.environment).lock
        if (held and held.deployment_id == deployment.id) or aws.records.deployment(deployment.id).status.is_final:
            return False
        aws.records.put_phase(deployment.id, record)
    return True


def _record_result(aws: Aws, deployment: Deployment, record: PhaseRecord, hold: Lock, at: str, result: Result) -> None:
    running = result.status is Status.IN_PROGRESS
    told = replace(
        record,
        status=PhaseStatus.RUNNING if running else PhaseStatus(result.status.value),
        summary=result.summary,
        evidence=result.evidence,
        cursor=result.cursor,
        ended_at=None if running else at,
    )
    # record_outcome has ended the deployment, and let the environment go, before its own record is written.
    if record.name == "record_outcome":
        aws.records.put_phase(deployment.id, told)
    elif not _put(deployment, told, hold, aws):
        return
    if not running:
        kind = f"{record.name}.{told.status.value.lower()}"
        aws.records.add_event(deployment.id, at, kind, {"summary": result.summary})


def _record_failure(
    aws: Aws, deployment: Deployment, record: PhaseRecord, hold: Lock, at: str, error: RolloutError
) -> None:
    failed = replace(
        record,
        status=PhaseStatus.FAILED,
        summary=error.message,
        evidence={**record.evidence, **error.evidence},
        error=error.as_dict(),
        ended_at=at,
    )
    if _put(deployment, failed, hold, aws):
        aws.records.add_event(deployment.id, at, f"{record.name}.failed", error.as_dict())
