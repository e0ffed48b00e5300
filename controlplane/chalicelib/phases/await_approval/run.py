"""Waits for a person before users reach the candidate: stores the task token that the API's /approve answers.

The state machine waits, not this Lambda. Without an answer in time the workflow continues as after any failure.
"""

from __future__ import annotations

from datetime import timedelta

from chalicelib.domain.evidence.plan import ApprovalEvidence
from chalicelib.domain.model import DeploymentStatus
from chalicelib.engine.phase import Definition, Request, Result
from chalicelib.ports import Aws

_TIMEOUT = timedelta(days=1)  # TimeoutSeconds of the ASL state


def run(request: Request, aws: Aws) -> Result[ApprovalEvidence]:
    """Set the deployment to WAITING_APPROVAL, with the token and the time at which the wait ends."""
    until = (request.started_at + _TIMEOUT).isoformat(timespec="seconds")
    approval = {"token": request.token, "until": until}
    changes = {"status": DeploymentStatus.WAITING_APPROVAL.value, "approval": approval}
    aws.records.update_deployment(request.deployment_id, changes)
    summary = f"Waiting for POST /deployments/{request.deployment_id}/approve until {until}"
    return Result.done(summary, ApprovalEvidence(until))


PHASE = Definition(run, ApprovalEvidence)
