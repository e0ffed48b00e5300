"""Removes what a drill leaves behind that was aborted, stopped or killed: a running rollout and an environment."""

from __future__ import annotations

from chalicelib.domain import drills
from chalicelib.domain.errors import NotFound
from chalicelib.domain.model import Deployment, DeploymentStatus, Environment
from chalicelib.domain.times import Clock
from chalicelib.ports import Aws

from .abort import abort
from .start import begin


def remove_abandoned(drill_record: Environment, aws: Aws, clock: Clock) -> str:
    """Abort the rollout that the last drill was waiting for, and clean up the drill's environment after it.

    Answers what was done, "" when there is nothing to do. Idempotent: a second call starts nothing again.
    """
    drill = _last_ended_drill(drill_record, aws)
    if drill is None or drill.status is DeploymentStatus.SUCCEEDED:
        return ""
    environment = aws.records.environment(drills.ephemeral_environment(drill.id))
    if environment.last_deployment is None or environment.status == "REMOVED":
        return ""
    removal = begin(drills.clean_up_of(drill.id), aws, clock, caller=drills.CALLER, key=drills.key(drill.id, "cleanup"))
    if removal.status.is_final:
        return ""  # A clean-up that failed: its record says what remains, and the environment's time limit retries it.
    done = f"removing {environment.name} of the interrupted drill {drill.id} with {removal.id}"
    return done + _abort_rollout(environment, removal, aws, clock)


def _last_ended_drill(drill_record: Environment, aws: Aws) -> Deployment | None:
    if drill_record.name != drills.DRILL_RECORD_ENVIRONMENT or drill_record.last_deployment is None:
        return None
    try:
        last = aws.records.deployment(drill_record.last_deployment)
    except NotFound:
        return None
    return last if last.status.is_final else None


def _abort_rollout(environment: Environment, removal: Deployment, aws: Aws, clock: Clock) -> str:
    """Abort the rollout that still runs in the drill's environment, once."""
    holder = environment.lock.deployment_id if environment.lock else removal.id
    if holder == removal.id:
        return ""
    rollout = aws.records.deployment(holder)
    if rollout.status.is_final or rollout.abort_requested:
        return ""
    abort(rollout, drills.CALLER, aws, clock)
    return f"; aborting {rollout.id}"
