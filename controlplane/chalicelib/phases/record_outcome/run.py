"""Ends a deployment: records how, updates the environment's record and history, and releases the lock.

Report and handoff are written first, so that whoever sees the end can read them. All else is one transaction, so a
Lambda that dies here has ended nothing or everything. A deploy that someone asked to stop during its last phase answers
IN_PROGRESS: the state machine rolls it back and calls again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from chalicelib.domain.codec import encode
from chalicelib.domain.errors import Aborted, Conflict, LockLost
from chalicelib.domain.evidence.checks import EndpointsEvidence
from chalicelib.domain.evidence.handoff import HandoffEvidence
from chalicelib.domain.evidence.outcome import OutcomeEvidence
from chalicelib.domain.model import Action, Deployment, PhaseRecord, PhaseStatus
from chalicelib.domain.records import DriftRow, Ending, HistoryEntry
from chalicelib.domain.times import stamp
from chalicelib.engine.phase import Definition, Request, Result
from chalicelib.ports import Aws

from . import history, incidents, look, publish
from .changes import changes
from .drift_rows import drift_rows
from .outcome import Outcome, outcome_of, users_saw

_CHANGES_USERS = (Action.DEPLOY, Action.PROMOTE, Action.ROLLBACK, Action.CLEANUP)

_RELEASING = (Action.DEPLOY, Action.PROMOTE, Action.ROTATE)


def run(request: Request, aws: Aws) -> Result[OutcomeEvidence]:
    """End the deployment, once: a second call leaves what the first recorded.

    Raises LockLost while another execution of this deployment is ending it.
    """
    deployment = aws.records.deployment(request.deployment_id)
    recorded = aws.records.phases(request.deployment_id)
    outcome = outcome_of(
        request.action,
        recorded,
        request.error,
        aborted=deployment.abort_requested,
        current=deployment.current_phase or "",
        changed=history.diff(request),
    )
    _record_silent_failure(outcome, request, aws)
    saw_it = users_saw(recorded)
    asks = request.action in _CHANGES_USERS and not outcome.is_good
    state = look.users(request, aws, saw_it=saw_it) if asks else ""
    ended = outcome.summary.rstrip(".")  # what ended it may be a whole sentence
    outcome = replace(outcome, summary=f"{ended}. Users: {state}") if state else outcome
    drift = drift_rows(recorded)
    incident = _incident(request, outcome, recorded, drift, aws)
    secret_version = _secret_version(request, outcome, aws)
    written = publish.write(request, deployment, outcome, state, aws)
    entry = history.entry(request, deployment, outcome, stamp(request.now), saw_it=saw_it, drift=drift, usd=written.usd)
    ending = _ending(request, deployment, outcome, incident, secret_version, entry, written.links)
    try:
        environment_written = _end(deployment, ending, aws)
    except Aborted as aborted:
        return Result.in_progress(aborted.message, poll_after_s=1)
    except Conflict:
        # An earlier call recorded the end and died before it could answer.
        aws.records.release_lock(request.environment.name, request.deployment_id)
        return Result.done("An earlier call recorded the outcome")
    return Result.done(
        outcome.summary, OutcomeEvidence(outcome.status.value, environment_written, state, written.problem)
    )


def _record_silent_failure(outcome: Outcome, request: Request, aws: Aws) -> None:
    """Give the phase whose Lambda died without recording a failure the error that Step Functions saw."""
    if outcome.broken and outcome.broken.status is PhaseStatus.RUNNING:
        failed = replace(
            outcome.broken,
            status=PhaseStatus.FAILED,
            ended_at=stamp(request.now),
            error=outcome.error,
            summary=(outcome.error or {}).get("message", ""),
        )
        aws.records.put_phase(request.deployment_id, failed)


def _incident(
    request: Request, outcome: Outcome, recorded: Sequence[PhaseRecord], drift: tuple[DriftRow, ...], aws: Aws
) -> dict[str, dict[str, str] | None]:
    """Open or close the environment's incident; answers the change of its record, {} for none.

    The event's time, and so its key, is that of the first call: a repeated call emits no second event.
    """
    lock = request.environment.lock
    holds = lock is not None and lock.deployment_id == request.deployment_id
    checks = [record for record in recorded if record.name == EndpointsEvidence.PHASE]
    validated = any(record.status is PhaseStatus.SUCCEEDED for record in checks)
    if not holds or not incidents.decides(request.action, outcome, validated=validated):
        return {}
    change = incidents.change(
        request.environment.incident,
        good=outcome.is_good,
        why=outcome.summary,
        at=stamp(request.started_at),
        deployment_id=request.deployment_id,
    )
    if change is None:
        return {}
    aws.records.add_event(request.deployment_id, stamp(request.started_at), change.kind, change.detail)
    incident = incidents.record(
        change, outcome.summary, drift, at=stamp(request.now), deployment_id=request.deployment_id
    )
    aws.records.record_incident(request.environment.name, incident)
    return {"incident": dict(change.incident) if change.incident else None}


def _ending(
    request: Request,
    deployment: Deployment,
    outcome: Outcome,
    incident: dict[str, dict[str, str] | None],
    secret_version: str,
    entry: HistoryEntry,
    documents: Mapping[str, str],
) -> Ending:
    at, lock = stamp(request.now), request.environment.lock
    handoff = request.results.find(HandoffEvidence)
    links = {**(handoff.links if handoff else {}), **documents}
    return Ending(
        at=at,
        execution_arn=lock.execution_arn if lock else "",
        deployment={
            "status": outcome.status.value,
            "summary": outcome.summary,
            "ended_at": at,
            "error": dict(outcome.error) if outcome.error else None,
            "links": links or None,
            "current_phase": None,
        },
        environment=changes(request, deployment, outcome, at, secret_version) | incident | {"updated_at": at},
        history=encode(entry),
        forgets=tuple(request.environment.applied) if outcome.is_good and request.action is Action.CLEANUP else (),
        # Only these can still be taken back; what another action did by now is done.
        unless_aborted=outcome.is_good and request.action in _RELEASING,
    )


def _secret_version(request: Request, outcome: Outcome, aws: Aws) -> str:
    """The version of the environment's own secret that users have now: one may have been set at once meanwhile."""
    if not outcome.is_good or request.action not in _RELEASING or request.config.secret_arn is not None:
        return ""
    info = aws.secrets.find(request.names.secret)
    return info.current if info else ""


def _end(deployment: Deployment, ending: Ending, aws: Aws) -> bool:
    """False when another deployment holds the environment, whose record is then left alone."""
    try:
        aws.records.end(deployment, ending)
    except LockLost:
        lock = aws.records.environment(deployment.environment).lock
        if lock and lock.deployment_id == deployment.id:
            raise  # another execution of this deployment is ending it, since this execution was stopped
        aws.records.end_without(deployment, ending)
        return False
    return True


PHASE = Definition(run, OutcomeEvidence)
