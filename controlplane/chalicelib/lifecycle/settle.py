"""Ends deployments whose execution died: finds out whether a lock's holder is dead, and runs the rollout's end."""

from __future__ import annotations

from chalicelib.domain.errors import NotFound
from chalicelib.domain.model import LEASE_S, Action, Deployment, Environment, Lock
from chalicelib.ports import Aws

# Stands in the name of an execution that settles, between the deployment's ID and a number.
SETTLE = "-settle-"
_CLOSED = frozenset({None, "SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"})
# An execution starts right after its record is written. A record without an execution that is younger than this may
# still get one; one that is older has lost its starter.
_STARTING_S = 60
_PERIOD_S = 900


def execution_input(deployment: Deployment) -> dict[str, str]:
    """The input of the state machine: IDs, and what its choices need."""
    return {
        "deployment_id": deployment.id,
        "environment": deployment.environment,
        "action": deployment.action.value,
        "approval": deployment.options.approval,
        "plan": "yes" if deployment.action is Action.PLAN or deployment.options.expected_plan else "no",
    }


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
    # One name a quarter of an hour: two calls at once start one execution, and a later call can start another.
    name = f"{deployment.id}{SETTLE}{int(now // _PERIOD_S)}"
    return aws.executions.start(name, execution_input(deployment) | {"settle": "yes"})


def dead_lock(environment: Environment, aws: Aws, now: float) -> Lock | None:
    """The environment's lock if its holder is dead: its execution has ended or never started. now: epoch seconds."""
    lock = environment.lock
    if lock is None:
        return None
    arn = lock.execution_arn or _execution_of(lock, aws)
    if arn:
        return lock if aws.executions.status(arn) in _CLOSED else None
    locked_at = lock.lease_until - LEASE_S
    return lock if now - locked_at > _STARTING_S else None


def _execution_of(lock: Lock, aws: Aws) -> str:
    try:
        return aws.records.deployment(lock.deployment_id).execution_arn
    except NotFound:
        return ""
