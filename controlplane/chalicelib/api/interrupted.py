"""What a drill that was aborted, stopped or killed leaves: a rollout on its way, and an environment nobody wants."""

from __future__ import annotations

from ..core import drill
from ..core.model import Deployment, DeploymentStatus, Environment
from ..errors import NotFound
from ..ports import Aws
from .answers import Clock
from .control import stop
from .starting import begin


def clear(hall: Environment, aws: Aws, clock: Clock) -> str:
    """Stops the rollout that the drill waited for, and has the drill's environment removed after it. "" when there is
    nothing to do; asked again, nothing is done twice."""
    ended = _last_drill(hall, aws)
    if ended is None or ended.status is DeploymentStatus.SUCCEEDED:
        return ""
    left = aws.records.environment(drill.ephemeral(ended.id))
    if left.last_deployment is None or left.status == "REMOVED":
        return ""
    removal = begin(drill.clean_up_of(ended.id), aws, clock, caller=drill.CALLER, key=drill.key(ended.id, "cleanup"))
    if removal.status.is_final:
        return ""  # it could not remove all: its record says what is left, and the environment's time limit tries again
    told = f"removing {left.name}, which drill {ended.id} has left, with {removal.id}"
    return told + _stopped(left, removal, aws, clock)


def _last_drill(hall: Environment, aws: Aws) -> Deployment | None:
    if hall.name != drill.HALL or hall.last_deployment is None:
        return None
    try:
        last = aws.records.deployment(hall.last_deployment)
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
    stop(child, drill.CALLER, aws, clock)
    return f"; {child.id} was asked to stop"
