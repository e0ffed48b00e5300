"""`/deployments/{id}/abort`, `/approve`, `/resume`: what a person can do to a deployment."""

from __future__ import annotations

import dataclasses

from chalicelib.domain.errors import Conflict, NotFound
from chalicelib.domain.model import Deployment, DeploymentStatus, PhaseStatus
from chalicelib.domain.times import Clock, stamp
from chalicelib.lifecycle import abort as lifecycle
from chalicelib.lifecycle.start import begin
from chalicelib.ports import Aws

from .answers import Answer, ApiCall, accept
from .responses import DeploymentView


def abort(call: ApiCall, aws: Aws, clock: Clock) -> Answer[DeploymentView]:
    """Abort a deployment: the next call of any phase stops it, traffic returns to the last good version, and the
    environment is unlocked."""
    call.refuse_input()
    deployment = aws.records.deployment(call.deployment_id)
    if deployment.status.is_final:
        raise Conflict(
            f"deployment {deployment.id} has already ended: {deployment.status.value}",
            code="AlreadyEnded",
            field="id",
            remedy="There is nothing to abort. POST /deployments with action rollback returns to the previous release.",
        )
    lifecycle.abort(deployment, call.caller, aws, clock)
    return accept(aws.records.deployment(deployment.id))


def approve(call: ApiCall, aws: Aws, clock: Clock) -> Answer[DeploymentView]:
    """Approve a deployment: the traffic shift begins. 409 when the deployment does not wait for an approval."""
    call.refuse_input()
    deployment = aws.records.deployment(call.deployment_id)
    token = str(deployment.approval.get("token", ""))
    if deployment.status is not DeploymentStatus.WAITING_APPROVAL or not token:
        raise _not_waiting(deployment)
    at = str(deployment.approval.get("at") or stamp(clock()))
    summary = f"Approved by {call.caller}"
    by = {"by": call.caller, "at": at}
    # On record before the token is answered: a request that dies in between can be sent again.
    earlier = deployment.approval.get("by")
    if not earlier:
        aws.records.update_deployment(deployment.id, {"approval": {**deployment.approval, **by}})
    try:
        aws.executions.approve(token, {"status": "SUCCEEDED", "poll_after_s": 0, "summary": summary})
    except NotFound as error:
        if earlier != call.caller:
            raise _not_waiting(deployment) from error
    changes = {"status": DeploymentStatus.RUNNING.value, "approval": by}
    aws.records.add_event(deployment.id, at, "deployment.approved", {"by": call.caller})
    aws.records.update_deployment(deployment.id, changes)
    return accept(aws.records.deployment(deployment.id))


def _not_waiting(deployment: Deployment) -> Conflict:
    return Conflict(
        f"deployment {deployment.id} does not wait for an approval: it is {deployment.status.value}",
        code="NotWaiting",
        field="id",
        remedy="GET /deployments/{id} shows its state.",
    )


def resume(call: ApiCall, aws: Aws, clock: Clock) -> Answer[DeploymentView]:
    """Resume a failed deployment: a new one skips the phases whose fingerprints are unchanged."""
    call.refuse_input()
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
        # The failed deployment carried out part of the approved plan; what remains is another plan.
        options["expected_plan"] = None
    body = {
        "environment": failed.environment,
        "action": failed.action.value,
        "config": dataclasses.asdict(failed.config),
        "options": options,
        **({"from": failed.promotion.environment} if failed.promotion else {}),
    }
    key = call.headers.get("idempotency-key")
    return accept(begin(body, aws, clock, caller=call.caller, key=key, resumes=failed))
