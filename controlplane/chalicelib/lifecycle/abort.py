"""Aborts a deployment that has not ended: the next call of any of its phases stops it."""

from __future__ import annotations

from chalicelib.domain.errors import Conflict, NotFound
from chalicelib.domain.model import Deployment, DeploymentStatus
from chalicelib.domain.times import Clock, stamp
from chalicelib.ports import Aws


def abort(deployment: Deployment, by: str, aws: Aws, clock: Clock) -> None:
    """Request the abort and record the event. by: ARN of the caller, or the name of the part that requests it."""
    reason = f"Aborted by {by}"
    at = stamp(clock())
    # First the event: who finds the request on record does not make it again.
    aws.records.add_event(deployment.id, at, "deployment.abort_requested", {"by": by})
    aws.records.update_deployment(deployment.id, {"abort_requested": True})
    if deployment.waiting:
        _leave_queue(deployment, reason, at, aws)
    elif token := str(deployment.approval.get("token", "")):
        _refuse_approval(token, reason, aws)


def abort_once(deployment: Deployment, by: str, aws: Aws, clock: Clock) -> None:
    """Request the abort of a deployment that runs, unless that was requested before."""
    if deployment.status.is_final or deployment.abort_requested:
        return
    try:
        abort(deployment, by, aws, clock)
    except Conflict:
        return  # it has ended at this moment


def _leave_queue(deployment: Deployment, reason: str, at: str, aws: Aws) -> None:
    changes = {"status": DeploymentStatus.ABORTED.value, "waiting": False, "ended_at": at, "summary": reason}
    try:
        aws.records.leave_line(deployment, changes)
    except Conflict:
        return  # It was started at this moment: its first phase reads the request and stops.


def _refuse_approval(token: str, reason: str, aws: Aws) -> None:
    try:
        aws.executions.refuse(token, "Aborted", reason)
    except NotFound:
        return  # It was approved or timed out at this moment: the next phase reads the request and stops.
