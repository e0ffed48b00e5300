"""Repairs what died: runs when any execution ends (EventBridge) and every few minutes (Scheduler).

A deployment whose execution was stopped by hand, or whose starter died, gets a proper end: traffic on the last good
version, the record written, the environment unlocked. Then the first deployment in the environment's queue starts. When
the queue is empty, the environment of an interrupted drill is removed, and one past its time limit is cleaned up.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from chalicelib.domain import expiry
from chalicelib.domain.errors import NotFound, RolloutError
from chalicelib.domain.model import Environment, Lock
from chalicelib.domain.times import Clock, stamp
from chalicelib.ports import Aws

from .abandoned_drills import remove_abandoned
from .execution import deployment_of, execution_input
from .fleets.settle import id_of, is_fleet_execution, settle_fleet
from .queue import start_next
from .settle import dead_lock, settle
from .start import begin

_CALLER = "proxyctl-sweep"


def sweep(event: Mapping[str, Any], aws: Aws, clock: Clock) -> dict[str, object]:
    """Answers `{environment or fleet deployment: what was done}`. What cannot be repaired now stops no other."""
    done: dict[str, object] = {}
    for fleet in _fleets(event, aws):
        try:
            if action := settle_fleet(fleet, aws, clock):
                done[fleet] = action
        except RolloutError as error:
            done[fleet] = f"failed, the next sweep retries: {error.message}"
    for environment in _affected(event, aws):
        try:
            if action := _sweep_environment(environment, aws, clock):
                done[environment.name] = action
        except RolloutError as error:
            done[environment.name] = f"failed, the next sweep retries: {error.message}"
    return done


def _fleets(event: Mapping[str, Any], aws: Aws) -> Iterable[str]:
    """The fleet deployment of the execution in the event; all that have not ended for a scheduled call."""
    name = str(event.get("detail", {}).get("name", ""))
    if not name:
        return aws.fleets.running()
    return [id_of(name)] if is_fleet_execution(name) else []


def _affected(event: Mapping[str, Any], aws: Aws) -> Iterable[Environment]:
    """The environment of the execution in the event; all environments for a scheduled call."""
    name = str(event.get("detail", {}).get("name", ""))
    if not name:
        return aws.records.environments()
    if is_fleet_execution(name):
        return []
    try:
        deployment = aws.records.deployment(deployment_of(name))
    except NotFound:
        return []  # An execution that someone started by hand under a name of their own.
    return [aws.records.environment(deployment.environment)]


def _sweep_environment(environment: Environment, aws: Aws, clock: Clock) -> str:
    dead = dead_lock(environment, aws, clock().timestamp())
    if dead:
        return _release(environment, dead, aws, clock)
    if environment.lock is not None:
        return ""
    return (
        start_next(environment.name, aws, clock)
        or remove_abandoned(environment, aws, clock)
        or _clean_up_expired(environment, aws, clock)
    )


def _clean_up_expired(environment: Environment, aws: Aws, clock: Clock) -> str:
    if not expiry.has_expired(environment, clock()):
        return ""
    deployment = begin(expiry.body(environment), aws, clock, caller=_CALLER, key=expiry.key(environment))
    return f"cleaning up with {deployment.id}: the time limit ended at {environment.expires_at}"


def _release(environment: Environment, dead: Lock, aws: Aws, clock: Clock) -> str:
    """Release the lock of a dead holder, or start the execution that does so."""
    try:
        deployment = aws.records.deployment(dead.deployment_id)
    except NotFound:
        aws.records.release_lock(environment.name, dead.deployment_id)
        return f"unlocked: {dead.deployment_id} has no record"
    if deployment.status.is_final:
        aws.records.release_lock(environment.name, deployment.id)
        return f"unlocked after {deployment.id}"
    if not (dead.execution_arn or deployment.execution_arn):
        aws.executions.start(deployment.id, execution_input(deployment))
        return f"started {deployment.id}, whose starter had died"
    aws.records.add_event(deployment.id, stamp(clock()), "deployment.settling", {"execution": dead.execution_arn})
    settle(deployment.id, aws, clock().timestamp())
    return f"settling {deployment.id}, whose execution was stopped"
