"""Ends deployments whose execution died: finds out whether a lock's holder is dead, and runs the rollout's end.

A deployment whose environment's record was deleted holds no lock any more. When its execution dies, too, no lock leads
to it: it is found by its status.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from chalicelib.domain.errors import NotFound
from chalicelib.domain.model import LEASE_S, Deployment, DeploymentStatus, Environment, Lock
from chalicelib.ports import Aws

from .execution import CLOSED, execution_input, settling_name

# An execution starts right after its record is written. A record without an execution that is younger than this may
# still get one; one that is older has lost its starter.
_STARTING_S = 60
_UNFINISHED = tuple(status for status in DeploymentStatus if not status.is_final)
_AT_ONCE = 100  # unfinished deployments of a status that one sweep looks at, the newest first


def settle(deployment_id: str, aws: Aws, now: float) -> str:
    """Start an execution that runs only the end of the rollout. now: epoch seconds.

    Answers its ARN, "" when the deployment has ended already or has no record.
    """
    try:
        deployment = aws.records.deployment(deployment_id)
    except NotFound:
        return ""
    if deployment.status.is_final:
        return ""
    return aws.executions.start(settling_name(deployment.id, now), execution_input(deployment) | {"settle": "yes"})


def dead_lock(environment: Environment, aws: Aws, now: float) -> Lock | None:
    """The environment's lock if its holder is dead: its execution has ended or never started. now: epoch seconds."""
    lock = environment.lock
    if lock is None:
        return None
    arn = lock.execution_arn or _execution_of(lock, aws)
    if arn:
        return lock if aws.executions.status(arn) in CLOSED else None
    locked_at = lock.lease_until - LEASE_S
    return lock if now - locked_at > _STARTING_S else None


def _execution_of(lock: Lock, aws: Aws) -> str:
    try:
        return aws.records.deployment(lock.deployment_id).execution_arn
    except NotFound:
        return ""


def unfinished(aws: Aws) -> Iterator[Deployment]:
    """The deployments that have begun and not ended."""
    for status in _UNFINISHED:
        page = aws.records.deployments(None, status, _AT_ONCE, None)
        yield from (deployment for deployment in page.deployments if not deployment.waiting)


def is_lost(deployment: Deployment, aws: Aws, now: float) -> bool:
    """Whether a deployment that has not ended is dead and holds no lock that leads to it. now: epoch seconds."""
    lock = aws.records.environment(deployment.environment).lock
    if lock is not None and lock.deployment_id == deployment.id:
        return False
    if deployment.execution_arn:
        return aws.executions.status(deployment.execution_arn) in CLOSED
    return now - datetime.fromisoformat(deployment.created_at).timestamp() > _STARTING_S
