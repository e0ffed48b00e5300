"""Writes what a phase did. When another execution is ending the deployment, its records take precedence."""

from __future__ import annotations

from dataclasses import replace

from chalicelib.domain.aws.usage import Usage
from chalicelib.domain.codec import encode
from chalicelib.domain.errors import LockLost, RolloutError
from chalicelib.domain.model import Deployment, Lock, PhaseRecord, PhaseStatus
from chalicelib.ports import Aws

from . import registry
from .phase import Result, Status


def open_record(name: str, before: PhaseRecord | None, at: str) -> PhaseRecord:
    """The phase's record while this call runs. before: the record of the call before this one; at: ISO 8601."""
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


def put(deployment: Deployment, record: PhaseRecord, lock: Lock, aws: Aws) -> bool:
    """Write the record, unless another execution is ending this deployment or has ended it. Answers whether it was
    written."""
    try:
        aws.records.put_phase_as(deployment.environment, lock, record)
    except LockLost:
        current = aws.records.environment(deployment.environment).lock
        if (current and current.deployment_id == deployment.id) or aws.records.deployment(
            deployment.id
        ).status.is_final:
            return False
        aws.records.put_phase(deployment.id, record)
    return True


def used(record: PhaseRecord, aws: Aws) -> Usage:
    """Of the calls before this one, as the record that this call opened has it, and of this one until now."""
    return (record.usage or Usage()).plus(aws.meter.read())


def put_result(
    deployment: Deployment, record: PhaseRecord, lock: Lock, at: str, result: Result[object], aws: Aws
) -> None:
    """Write the record of a call that returned, and the event of a phase that has ended."""
    running = result.status is Status.IN_PROGRESS
    answered = replace(
        record,
        status=PhaseStatus.RUNNING if running else PhaseStatus(result.status.value),
        summary=result.summary,
        evidence=encode(result.evidence, partial=running),
        cursor=encode(result.cursor),
        waits_for=result.waits.step,
        waits=result.waits.count,
        usage=used(record, aws),
        ended_at=None if running else at,
    )
    # record_outcome ends the deployment and releases the lock before its own record is written.
    if record.name == "record_outcome":
        aws.records.put_phase(deployment.id, answered)
    elif not put(deployment, answered, lock, aws):
        return
    if not running:
        kind = f"{record.name}.{answered.status.value.lower()}"
        aws.records.add_event(deployment.id, at, kind, {"summary": result.summary})


def put_failure(
    deployment: Deployment, record: PhaseRecord, lock: Lock, at: str, error: RolloutError, aws: Aws
) -> None:
    """Write the record of a call that raised, and its event. Evidence of earlier calls stays in the record."""
    failed = replace(
        record,
        status=PhaseStatus.FAILED,
        summary=error.message,
        evidence={**record.evidence, **encode(error.evidence, partial=True)},
        error=error.as_dict(),
        ended_at=at,
        usage=used(record, aws),
    )
    if put(deployment, failed, lock, aws):
        aws.records.add_event(deployment.id, at, f"{record.name}.failed", error.as_dict())
