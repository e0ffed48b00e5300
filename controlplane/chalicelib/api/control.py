"""`/deployments/{id}/abort`, `/approve`, `/resume`: what a person may do to a deployment that is on its way."""

from __future__ import annotations

import dataclasses

from chalicelib.domain.errors import Conflict, NotFound
from chalicelib.domain.model import Deployment, DeploymentStatus, PhaseStatus
from chalicelib.domain.times import Clock, stamp
from chalicelib.lifecycle.start import begin
from chalicelib.lifecycle.stop import stop
from chalicelib.ports import Aws

from .answers import Answer, Call, accepted


def abort(call: Call, aws: Aws, clock: Clock) -> Answer:
    """202: the next call of any phase stops it; what was released goes back, and the environment is let go."""
    deployment = aws.records.deployment(call.deployment_id)
    if deployment.status.is_final:
        raise Conflict(
            f"deployment {deployment.id} has ended already: {deployment.status.value}",
            code="AlreadyEnded",
            field="id",
            remedy="There is nothing to abort. POST /deployments with action rollback takes a release back.",
        )
    stop(deployment, call.caller, aws, clock)
    return accepted(aws.records.deployment(deployment.id))


def approve(call: Call, aws: Aws, clock: Clock) -> Answer:
    """202: the traffic shift begins. 409 when the deployment does not wait for an approval."""
    deployment = aws.records.deployment(call.deployment_id)
    token = str(deployment.approval.get("token", ""))
    if deployment.status is not DeploymentStatus.WAITING_APPROVAL or not token:
        raise _not_waiting(deployment)
    at = stamp(clock())
    summary = f"Approved by {call.caller}"
    try:
        aws.executions.approve(token, {"status": "SUCCEEDED", "poll_after_s": 0, "summary": summary})
    except NotFound as error:
        raise _not_waiting(deployment) from error
    changes = {"status": DeploymentStatus.RUNNING.value, "approval": {"by": call.caller, "at": at}}
    aws.records.update_deployment(deployment.id, changes)
    aws.records.add_event(deployment.id, at, "deployment.approved", {"by": call.caller})
    return accepted(aws.records.deployment(deployment.id))


def _not_waiting(deployment: Deployment) -> Conflict:
    return Conflict(
        f"deployment {deployment.id} does not wait for an approval: it is {deployment.status.value}",
        code="NotWaiting",
        field="id",
        remedy="GET /deployments/{id} tells how it stands.",
    )


def resume(call: Call, aws: Aws, clock: Clock) -> Answer:
    """202 with a new deployment that goes on where this one failed: what it had done is skipped by fingerprint."""
    failed = aws.records.deployment(call.deployment_id)
    if not failed.status.is_final or failed.status is DeploymentStatus.SUCCEEDED:
        raise Conflict(
            f"deployment {failed.id} is {failed.status.value}; only one that failed can be resumed",
            code="NotResumable",
            field="id",
            remedy="POST /deployments starts a new one.",
        )
    options = dataclasses.asdict(failed.options) | {"force": False}
    planned = (phase for phase in aws.records.phases(failed.id) if phase.name == "make_plan")
    if any(phase.status is PhaseStatus.SUCCEEDED for phase in planned):
        # The approved plan was found unchanged, then carried out in part: what is left of it is another plan.
        options["expected_plan"] = None
    given = {
        "environment": failed.environment,
        "action": failed.action.value,
        "config": dataclasses.asdict(failed.config),
        "options": options,
    }
    key = call.headers.get("idempotency-key")
    return accepted(begin(given, aws, clock, caller=call.caller, key=key, resumes=failed.id))
