"""How deployments begin, whoever asks: the API, the nightly run, the sweeper.

Record, lock and idempotency claim are written in one transaction, then the execution is started under the
deployment's own id. Whoever dies in between is healed: the next call with the same key, or the sweeper, starts it.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import uuid
from dataclasses import dataclass, field
from typing import Any

from chalicelib.domain.codec import decode
from chalicelib.domain.config import Config, Options
from chalicelib.domain.errors import BadRequest, Conflict, NotFound
from chalicelib.domain.model import LEASE_S, Action, Deployment, DeploymentStatus, Environment, Lock
from chalicelib.domain.names import Names
from chalicelib.domain.records import Claim
from chalicelib.domain.times import Clock, stamp
from chalicelib.ports import Aws

_CLOSED = frozenset({None, "SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"})
# An execution is started right after its record: one without an execution is only young, or its starter died.
_STARTING_S = 60
_OF_A_RELEASE = (Action.ROLLBACK, Action.REVALIDATE)  # what needs one that was made before
SETTLE = "-settle-"


@dataclass(frozen=True, slots=True)
class Start:
    """The body of POST /deployments."""

    environment: str
    action: Action = Action.DEPLOY
    config: Config = field(default_factory=Config)
    options: Options = field(default_factory=Options)


def begin(
    given: dict[str, Any], aws: Aws, clock: Clock, *, caller: str, key: str | None, resumes: str = ""
) -> Deployment:
    """The deployment that this request stands for, started or waiting in the environment's queue."""
    asked = decode(Start, given)
    Names(asked.environment)
    claim = _claim(key, caller, given)
    now = clock()
    environment = aws.records.environment(asked.environment)
    if asked.action in _OF_A_RELEASE:
        _refuse_without_release(environment)
    deployment = Deployment(
        id=_id(claim),
        environment=asked.environment,
        action=asked.action,
        status=DeploymentStatus.PENDING,
        config=_config(asked, given, environment),
        options=asked.options,
        created_at=stamp(now),
        caller=caller,
        resumes=resumes,
    )
    lock = Lock(deployment.id, "", now.timestamp() + LEASE_S)
    try:
        _refuse_to_jump_the_queue(environment, claim, aws)
        dead = dead_lock(environment, aws, now.timestamp())
        aws.records.start(deployment, lock, claim, dead)
        if dead:
            settle(dead.deployment_id, aws, now.timestamp())
    except Conflict as refused:
        if claimed := _claimed(refused, claim, aws):
            deployment = claimed
        elif asked.options.if_busy == "wait":
            return _queue(deployment, refused, claim, aws, clock)
        else:
            raise
    if _waits(deployment, aws):
        return deployment
    # A second start under the same name is the first one: this heals a starter that died after its record.
    arn = aws.executions.start(deployment.id, execution_input(deployment))
    return dataclasses.replace(deployment, execution_arn=arn)


def unknown(environment: str, *, field: str) -> NotFound:
    """The refusal of a request about an environment that nobody ever asked anything of."""
    return NotFound(
        f"there is no environment {environment}",
        field=field,
        remedy="POST /deployments with action deploy makes it; GET /environments lists those that exist.",
    )


def _refuse_without_release(environment: Environment) -> None:
    if not environment.is_known:
        raise unknown(environment.name, field="environment")
    if environment.status == "REMOVED":
        raise Conflict(
            f"environment {environment.name} was removed",
            code="EnvironmentRemoved",
            field="environment",
            remedy="POST /deployments with action deploy makes it anew.",
        )


def execution_input(deployment: Deployment) -> dict[str, str]:
    """What the state machine is given: ids, and what its own choices need."""
    return {
        "deployment_id": deployment.id,
        "environment": deployment.environment,
        "action": deployment.action.value,
        "approval": deployment.options.approval,
        "plan": "yes" if deployment.action is Action.PLAN or deployment.options.expected_plan else "no",
    }


def settle(deployment_id: str, aws: Aws, now: float) -> str:
    """Send a deployment whose execution died through its end; "" when it has ended, or has no record."""
    try:
        deployment = aws.records.deployment(deployment_id)
    except NotFound:
        return ""
    if deployment.status.is_final:
        return ""
    # A name for each quarter of an hour: twice at once is one execution, and one that dies too can be followed.
    name = f"{deployment.id}{SETTLE}{int(now // 900)}"
    return aws.executions.start(name, execution_input(deployment) | {"settle": "yes"})


def dead_lock(environment: Environment, aws: Aws, now: float) -> Lock | None:
    """The environment's lock if its holder is dead: its execution has ended, or never came to be."""
    lock = environment.lock
    if lock is None:
        return None
    arn = lock.execution_arn or _execution_of(lock, aws)
    if arn:
        return lock if aws.executions.status(arn) in _CLOSED else None
    born = lock.lease_until - LEASE_S
    return lock if now - born > _STARTING_S else None


def _execution_of(lock: Lock, aws: Aws) -> str:
    try:
        return aws.records.deployment(lock.deployment_id).execution_arn
    except NotFound:
        return ""


def _id(claim: Claim | None) -> str:
    """Made from the key where there is one, so that the execution's name is the same however often it is sent."""
    unique = claim.key if claim else uuid.uuid4().hex
    return "d-" + hashlib.sha256(unique.encode()).hexdigest()[:20]


def _claim(key: str | None, caller: str, given: dict[str, Any]) -> Claim | None:
    if key is None:
        return None
    if not 1 <= len(key) <= 255 or not key.isprintable():
        raise BadRequest(
            "Idempotency-Key must be 1 to 255 printable characters", field="Idempotency-Key", remedy="Use a UUID."
        )
    canonical = json.dumps(given, sort_keys=True, separators=(",", ":"))
    return Claim(f"{caller}#{key}", hashlib.sha256(canonical.encode()).hexdigest())


def _config(asked: Start, given: dict[str, Any], environment: Environment) -> Config:
    """What was asked; where a deploy or a check says nothing, what the environment runs with."""
    good = environment.last_good
    if "config" in given or not (good and good.config):
        return asked.config
    return decode(Config, dict(good.config))


def _claimed(refused: Conflict, claim: Claim | None, aws: Aws) -> Deployment | None:
    """The deployment that the key stands for; None when it was not the key that was refused."""
    claimed_by = refused.evidence.get("claimed_by")
    if claimed_by is None or claim is None:
        return None
    if refused.evidence.get("body_sha256") != claim.body_sha256:
        raise Conflict(
            f"this Idempotency-Key was used for deployment {claimed_by} with another body",
            code="IdempotencyKeyReused",
            field="Idempotency-Key",
            remedy="Send a new key with a new request.",
            evidence={"deployment": claimed_by},
        )
    return aws.records.deployment(claimed_by)


def _refuse_to_jump_the_queue(environment: Environment, claim: Claim | None, aws: Aws) -> None:
    """Between one deployment's end and the next one's start the lock is free; it is the queue's all the same."""
    if environment.lock is not None:
        return
    first = aws.records.next_in_line(environment.name)
    if first and not (claim and first.id == _id(claim)):
        raise Conflict(
            f"environment {environment.name} has deployment {first.id} waiting for it",
            code="EnvironmentBusy",
            field="environment",
            remedy='Wait until it ends, or send options.if_busy = "wait" to stand in line.',
            evidence={"holder": first.id},
        )


def next_in_line(environment: str, aws: Aws, clock: Clock) -> str:
    """Starts the head of an environment's line, if that is free; says what was done, "" where nobody stands in line."""
    deployment = aws.records.next_in_line(environment)
    if deployment is None:
        return ""
    try:
        aws.records.take_turn(deployment, Lock(deployment.id, "", clock().timestamp() + LEASE_S))
    except Conflict:
        return "someone else was faster"
    aws.executions.start(deployment.id, execution_input(deployment))
    return f"started {deployment.id} from the line"


def _queue(deployment: Deployment, refused: Conflict, claim: Claim | None, aws: Aws, clock: Clock) -> Deployment:
    holder = refused.evidence.get("holder", "")
    waiting = dataclasses.replace(deployment, waiting=True, summary=f"Waits for {holder or 'the environment'}")
    try:
        aws.records.enqueue(waiting, claim)
    except Conflict as again:
        # Two with the same key at once: the other one stands in line already.
        claimed = _claimed(again, claim, aws)
        if claimed is None:
            raise
        return claimed
    # Who held it may have let go just before this one stood in line, so that nobody would look at the line any more.
    if aws.records.environment(deployment.environment).lock is None:
        next_in_line(deployment.environment, aws, clock)
    return aws.records.deployment(waiting.id)


def _waits(deployment: Deployment, aws: Aws) -> bool:
    """Whether it was recorded before and is not this call's to start: it stands in line, or has ended."""
    if deployment.status.is_final or deployment.execution_arn:
        return deployment.status.is_final
    lock = aws.records.environment(deployment.environment).lock
    return lock is None or lock.deployment_id != deployment.id
