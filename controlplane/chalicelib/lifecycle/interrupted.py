"""What a drill that was aborted, stopped or killed leaves: a rollout on its way, and an environment nobody wants."""

from __future__ import annotations

from chalicelib.domain import drills
from chalicelib.domain.errors import NotFound
from chalicelib.domain.model import Deployment, DeploymentStatus, Environment
from chalicelib.domain.times import Clock
from chalicelib.ports import Aws

from .start import begin
from .stop import stop


def clear(drill_record: Environment, aws: Aws, clock: Clock) -> str:
    """Stops the rollout that the drill waited for, and has the drill's environment removed after it. "" when there is
    nothing to do; asked again, nothing is done twice."""
    ended = _last_drill(drill_record, aws)
    if ended is None or ended.status is DeploymentStatus.SUCCEEDED:
        return ""
    left = aws.records.environment(drills.ephemeral_environment(ended.id))
    if left.last_deployment is None or left.status == "REMOVED":
        return ""
    removal = begin(drills.clean_up_of(ended.id), aws, clock, caller=drills.CALLER, key=drills.key(ended.id, "cleanup"))
    if removal.status.is_final:
        return ""  # it could not remove all: its record says what is left, and the environment's time limit tries again
    told = f"removing {left.name}, which drill {ended.id} has left, with {removal.id}"
    return told + _stopped(left, removal, aws, clock)


def _last_drill(drill_record: Environment, aws: Aws) -> Deployment | None:
    if drill_record.name != drills.DRILL_RECORD_ENVIRONMENT or drill_record.last_deployment is None:
        return None
    try:
        last = aws.records.deployment(drill_record.last_deployment)
    except NotFound:
        return None
    return last if last.status.is_final else None


def _stopped(left: Environment, removal: Deployment, aws: Aws, clock: Clock) -> str:
    """The rollout that is still on its way there is asked to stop, once."""
    holder = left.lock.deployment_id if left.lock else removal.id
    if holder == removal.id:
        return ""
    child = aws.records.deployment(holder)
    if child.status.is_final or child.abort_requested:
        return ""
    stop(child, drills.CALLER, aws, clock)
    return f"; {child.id} was asked to stop"
