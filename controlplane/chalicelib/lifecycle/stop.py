"""Asks a deployment that has not ended to stop."""

from __future__ import annotations

from chalicelib.domain.errors import Conflict, NotFound
from chalicelib.domain.model import Deployment, DeploymentStatus
from chalicelib.domain.times import Clock, stamp
from chalicelib.ports import Aws


def stop(deployment: Deployment, by: str, aws: Aws, clock: Clock) -> None:
    """Ask a deployment that has not ended to stop; by: whose wish it is."""
    who = f"asked to stop by {by}"
    at = stamp(clock())
    aws.records.update_deployment(deployment.id, {"abort_requested": True})
    aws.records.add_event(deployment.id, at, "deployment.abort_requested", {"by": by})
    if deployment.waiting:
        _leave_line(deployment, who, at, aws)
    elif token := str(deployment.approval.get("token", "")):
        _refuse(token, who, aws)


def _leave_line(deployment: Deployment, who: str, at: str, aws: Aws) -> None:
    ended = {"status": DeploymentStatus.ABORTED.value, "waiting": False, "ended_at": at, "summary": who}
    try:
        aws.records.leave_line(deployment, ended)
    except Conflict:
        return  # its turn came in this very moment: its first phase sees the request to stop


def _refuse(token: str, why: str, aws: Aws) -> None:
    try:
        aws.executions.refuse(token, "Aborted", why)
    except NotFound:
        return  # it was approved, or its time ran out, in this very moment: the next phase sees the request to stop
