"""The queue of deployments that wait for one environment: first come, first served."""

from __future__ import annotations

import dataclasses

from chalicelib.domain.errors import Conflict
from chalicelib.domain.model import LEASE_S, Deployment, Environment, Lock
from chalicelib.domain.records import Claim
from chalicelib.domain.times import Clock
from chalicelib.ports import Aws

from .config_patch import patched, with_target
from .execution import execution_input
from .idempotency import claimed_deployment, deployment_id


def refuse_to_overtake(environment: Environment, claim: Claim | None, aws: Aws) -> None:
    """Raises Conflict when another deployment waits for the environment.

    Between the end of one deployment and the start of the next the lock is free, but the queue comes first.
    """
    if environment.lock is not None:
        return
    first = aws.records.next_in_line(environment.name)
    if first and not (claim and first.id == deployment_id(claim)):
        raise Conflict(
            f"deployment {first.id} already waits for environment {environment.name}",
            code="EnvironmentBusy",
            field="environment",
            remedy='Wait until it ends, or send options.if_busy = "wait" to queue.',
            holder=first.id,
        )


def enqueue(deployment: Deployment, refused: Conflict, claim: Claim | None, aws: Aws, clock: Clock) -> Deployment:
    """Record the deployment as waiting; answers the deployment that the key stands for if that is recorded already."""
    waiting = dataclasses.replace(deployment, waiting=True, summary=f"Waits for {refused.holder or 'the environment'}")
    try:
        aws.records.enqueue(waiting, claim)
    except Conflict as again:
        # Two requests with the same key at once: the other one is in the queue already.
        claimed = claimed_deployment(again, claim)
        if not claimed:
            raise
        return aws.records.deployment(claimed)
    # The holder may have released the lock just before this one was queued; then nobody else would start it.
    if aws.records.environment(deployment.environment).lock is None:
        start_next(deployment.environment, aws, clock)
    return aws.records.deployment(waiting.id)


def start_next(environment: str, aws: Aws, clock: Clock) -> str:
    """Start the first deployment in the environment's queue if the environment is free.

    Answers what was done; "" when the queue is empty.
    """
    deployment = aws.records.next_in_line(environment)
    if deployment is None:
        return ""
    try:
        aws.records.take_turn(_merged_again(deployment, aws), Lock(deployment.id, "", clock().timestamp() + LEASE_S))
    except Conflict:
        return f"{deployment.id} still waits: another deployment took the lock first"
    aws.executions.start(deployment.id, execution_input(deployment))
    return f"started {deployment.id} from the queue"


def _merged_again(deployment: Deployment, aws: Aws) -> Deployment:
    """With its configuration merged into what the environment has now."""
    if deployment.patch is None or deployment.resumes:
        return deployment
    environment = aws.records.environment(deployment.environment)
    config, unknown = patched(deployment.patch, environment.last_good, replaces=deployment.replaces)
    config = with_target(config, deployment.patch, environment, aws.settings, replaces=deployment.replaces)
    return dataclasses.replace(deployment, config=config, unknown_config=unknown)
