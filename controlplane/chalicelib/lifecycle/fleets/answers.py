"""What a person can do to a fleet deployment that runs: abort it, or approve its next wave."""

from __future__ import annotations

from chalicelib.domain.errors import Conflict, NotFound
from chalicelib.domain.fleets.model import FleetDeployment, MemberStatus, Stop
from chalicelib.domain.model import DeploymentStatus
from chalicelib.domain.times import Clock, stamp
from chalicelib.ports import Aws

from ..abort import abort_once
from .settle import record_stop

ABORTED = "Aborted"


def abort_fleet(deployment: FleetDeployment, by: str, aws: Aws, clock: Clock, *, roll_back: bool) -> None:
    """No further member begins, and those that run are aborted.

    roll_back: the others go back as `on_failure` says; else they stay. Raises Conflict (AlreadyEnded).
    """
    if deployment.status.is_final:
        raise Conflict(
            f"fleet deployment {deployment.id} has already ended: {deployment.status.value}",
            code="AlreadyEnded",
            field="id",
            remedy="There is nothing to abort. A fleet deployment with action rollback takes its environments back.",
        )
    stop = Stop(ABORTED, f"Aborted by {by}", stamp(clock()), by, keeps=not roll_back)
    record_stop(deployment.id, stop, aws)
    state = aws.fleets.state(deployment.id)
    for member in state.members:
        if member.status is MemberStatus.RUNNING and member.deployment_id:
            abort_once(aws.records.deployment(member.deployment_id), by, aws, clock)
    if token := str(state.deployment.approval.get("token", "")):
        _answer(token, aws)


def approve_wave(deployment: FleetDeployment, by: str, aws: Aws, clock: Clock) -> None:
    """Let the next wave begin. Raises Conflict (NotWaiting) when the fleet deployment waits for nobody."""
    token, wave = str(deployment.approval.get("token", "")), deployment.approval.get("wave")
    if deployment.status is not DeploymentStatus.WAITING_APPROVAL or not token or not isinstance(wave, int):
        raise Conflict(
            f"fleet deployment {deployment.id} does not wait for an approval: it is {deployment.status.value}",
            code="NotWaiting",
            field="id",
            remedy=f"GET /fleets/{deployment.fleet}/deployments/{deployment.id} shows its state.",
        )
    # On record before the token is answered: a request that dies in between can be sent again.
    aws.fleets.update_wave(deployment.id, wave, {"approved_by": by, "approved_at": stamp(clock())})
    _answer(token, aws)


def _answer(token: str, aws: Aws) -> None:
    """The state machine goes on, and reads from the record what happened."""
    try:
        aws.fleet_executions.approve(token, {})
    except NotFound:
        return  # The wait has ended at this moment; the next step reads the record.
