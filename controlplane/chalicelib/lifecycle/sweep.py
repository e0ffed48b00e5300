"""Heals what died: called when any execution ends (EventBridge) and every few minutes (Scheduler).

A deployment whose execution was stopped by hand, or whose starter died, is brought to a true end: traffic on the last
good version, record written, environment unlocked. Then the head of the environment's line gets its turn; where nobody
stands in line, what an interrupted drill has left is removed, and an environment whose time is over is cleaned up.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chalicelib.domain import expiry
from chalicelib.domain.errors import NotFound, RolloutError
from chalicelib.domain.model import Environment, Lock
from chalicelib.domain.times import Clock, stamp
from chalicelib.ports import Aws

from . import interrupted
from .start import SETTLE, begin, dead_lock, execution_input, next_in_line, settle

_CALLER = "proxyctl-sweep"


def run(event: Mapping[str, Any], aws: Aws, clock: Clock) -> dict[str, Any]:
    """Answers `{environment: what was done}`; an environment that cannot be healed now stops no other."""
    done: dict[str, str] = {}
    for environment in _concerned(event, aws):
        try:
            if told := _sweep(environment, aws, clock):
                done[environment.name] = told
        except RolloutError as error:
            done[environment.name] = f"not now: {error.message}"
    return done


def _concerned(event: Mapping[str, Any], aws: Aws) -> list[Environment]:
    """The environment of the execution that the event tells of; all of them for a scheduled call."""
    name = str(event.get("detail", {}).get("name", ""))
    if not name:
        return list(aws.records.environments())
    try:
        deployment = aws.records.deployment(name.partition(SETTLE)[0])
    except NotFound:
        return []  # an execution that someone started by hand under a name of their own
    return [aws.records.environment(deployment.environment)]


def _sweep(environment: Environment, aws: Aws, clock: Clock) -> str:
    dead = dead_lock(environment, aws, clock().timestamp())
    if dead:
        return _settle(environment, dead, aws, clock)
    if environment.lock is not None:
        return ""
    return (
        next_in_line(environment.name, aws, clock)
        or interrupted.clear(environment, aws, clock)
        or _expire(environment, aws, clock)
    )


def _expire(environment: Environment, aws: Aws, clock: Clock) -> str:
    if not expiry.has_expired(environment, clock()):
        return ""
    started = begin(expiry.body(environment), aws, clock, caller=_CALLER, key=expiry.key(environment))
    return f"cleaning up with {started.id}: its time was over at {environment.expires_at}"


def _settle(environment: Environment, dead: Lock, aws: Aws, clock: Clock) -> str:
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
