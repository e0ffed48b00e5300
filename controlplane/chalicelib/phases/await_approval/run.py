"""Waits for a person before users see the candidate: notes the task token down, which the API's /approve answers.

The state machine waits, not this Lambda; where nobody answers in time, it goes on as after any failure.
"""

from __future__ import annotations

from datetime import timedelta

from chalicelib.domain.model import DeploymentStatus
from chalicelib.engine.phase import Definition, Request, Result
from chalicelib.ports import Aws

_WAITS = timedelta(days=1)  # TimeoutSeconds of the ASL state


def run(request: Request, aws: Aws) -> Result:
    until = (request.started_at + _WAITS).isoformat(timespec="seconds")
    approval = {"token": request.token, "until": until}
    changes = {"status": DeploymentStatus.WAITING_APPROVAL.value, "approval": approval}
    aws.records.update_deployment(request.deployment_id, changes)
    return Result.done(f"Waits for POST /deployments/{request.deployment_id}/approve until {until}", until=until)


PHASE = Definition(run, dict)
