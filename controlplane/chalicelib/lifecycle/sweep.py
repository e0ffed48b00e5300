"""Repairs what died: runs when any execution ends (EventBridge) and every few minutes (Scheduler).

A deployment whose execution was stopped by hand, or whose starter died, gets a proper end: traffic on the last good
version, the record written, the environment unlocked; also one whose environment's record was deleted meanwhile. Then
the first deployment in the environment's queue starts. When the queue is empty, the environment of an interrupted drill
is removed, and one past its time limit is cleaned up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from chalicelib.domain import expiry
from chalicelib.domain.errors import NotFound, RolloutError
from chalicelib.domain.model import Deployment, Environment, Lock
from chalicelib.domain.times import Clock, stamp
from chalicelib.engine.lost_records import recover
from chalicelib.ports import Aws

from .abandoned_drills import remove_abandoned
from .execution import deployment_of, execution_input
from .fleets.settle import is_fleet_execution, settle_fleet
from .queue import start_next
from .settle import dead_lock, is_lost, settle, unfinished
from .start import begin

_CALLER = "proxyctl-sweep"


def sweep(event: Mapping[str, Any], aws: Aws, clock: Clock) -> dict[str, object]:
    """Answers `{environment or fleet deployment: what was done}`. What cannot be repaired now stops no other."""
    name = _execution(event)
    if is_fleet_execution(name):
        return _settled_fleets([deployment_of(name)], aws, clock)
    ended = _of_execution(event, aws)
    if ended is None and name:
        return {}  # An execution that someone started by hand under a name of their own.
    done = {} if ended else _settled_fleets(aws.fleets.running(), aws, clock)
    for deployment in (ended,) if ended else unfinished(aws):
        if text := _attempt(partial(_settle_lost, deployment, aws, clock)):
            done[deployment.environment] = text
    for environment in (aws.records.environment(ended.environment),) if ended else aws.records.environments():
        if environment.name in done:
            continue  # The execution that was just started rebuilds its record.
        if text := _attempt(partial(_sweep_environment, environment, aws, clock)):
            done[environment.name] = text
    return done


def _settled_fleets(ids: Iterable[str], aws: Aws, clock: Clock) -> dict[str, object]:
    attempts = ((fleet, _attempt(partial(settle_fleet, fleet, aws, clock))) for fleet in ids)
    return {fleet: text for fleet, text in attempts if text}


def _attempt(repair: Callable[[], str]) -> str:
    try:
        return repair()
    except RolloutError as error:
        return f"failed, the next sweep retries: {error.message}"


def _execution(event: Mapping[str, Any]) -> str:
    """The name of the execution whose end is the event; "" for a scheduled call."""
    return str(event.get("detail", {}).get("name", ""))


def _of_execution(event: Mapping[str, Any], aws: Aws) -> Deployment | None:
    """The deployment of that execution; None without one."""
    name = _execution(event)
    try:
        return aws.records.deployment(deployment_of(name)) if name else None
    except NotFound:
        return None


def _settle_lost(deployment: Deployment, aws: Aws, clock: Clock) -> str:
    now = clock().timestamp()
    if deployment.status.is_final or deployment.waiting or not is_lost(deployment, aws, now):
        return ""
    # Read again: it may have ended, and released its lock, since it was listed.
    if not settle(deployment.id, aws, now):
        return ""
    aws.records.add_event(deployment.id, stamp(clock()), "deployment.settling", {"execution": deployment.execution_arn})
    return f"settling {deployment.id}, which holds no lock any more and whose execution is gone"


def _sweep_environment(environment: Environment, aws: Aws, clock: Clock) -> str:
    dead = dead_lock(environment, aws, clock().timestamp())
    if dead:
        return _release(environment, dead, aws, clock)
    if environment.lock is not None:
        return ""
    environment = recover(environment, aws)
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
