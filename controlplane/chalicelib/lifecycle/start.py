"""Starts deployments, for the API, the nightly run, the sweeper and drills.

Record, lock and idempotency claim are written in one transaction; then the execution starts under the deployment's own
ID. When the starter dies in between, the next call with the same key, or the sweeper, starts the execution.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from chalicelib.domain import webhook_url
from chalicelib.domain.codec import decode, refuse_unknown
from chalicelib.domain.config import Config
from chalicelib.domain.errors import BadRequest, Conflict, unknown_environment
from chalicelib.domain.fleets.promotions import Promotion
from chalicelib.domain.model import LEASE_S, Action, Deployment, DeploymentStatus, Environment, Lock
from chalicelib.domain.names import Names
from chalicelib.domain.options import Options
from chalicelib.domain.records import Claim
from chalicelib.domain.times import Clock, stamp
from chalicelib.engine.lost_records import recover
from chalicelib.ports import Aws

from .config_patch import patched, with_target, without_nulls
from .execution import execution_input
from .feasibility import near_names, refuse_near_name, refuse_undecidable
from .idempotency import claim_of, claimed_deployment, deployment_id
from .promotions import check_source, promotion_of
from .queue import enqueue, refuse_to_overtake
from .settle import dead_lock, settle

_NEEDS_RELEASE = (Action.ROLLBACK, Action.REVALIDATE, Action.ROTATE)
_ROLLS_SECRET = (Action.DEPLOY, Action.ROTATE)
_CREATES = (Action.DEPLOY, Action.PROMOTE, Action.PLAN)


@dataclass(frozen=True, slots=True)
class Start:
    """The body of POST /deployments.

    config: the fields to change; null resets one. replace: all other fields get their defaults instead of staying.
    create: the environment is new, although its name is within two letters of an existing one. from: the environment
    whose last good release action promote rolls.
    """

    KEYS: ClassVar[Mapping[str, str]] = {"from_": "from"}

    environment: str
    action: Action = Action.DEPLOY
    config: Config = field(default_factory=Config)
    options: Options = field(default_factory=Options)
    replace: bool = False
    create: bool = False
    from_: str | None = None


def begin(
    body: Mapping[str, object],
    aws: Aws,
    clock: Clock,
    *,
    caller: str,
    key: str | None,
    resumes: Deployment | None = None,
    promotion: Promotion | None = None,
    bundle: str = "",
) -> Deployment:
    """Start the deployment that this request stands for, or queue it; answers it as recorded.

    body: as POST /deployments takes it. key: the Idempotency-Key; the same key and body give the same deployment.
    resumes: the failed deployment that this one continues. promotion: what action promote rolls, where that was fixed
    before; else the last good release of `from`. Raises BadRequest, NotFound for an unknown environment, and
    Conflict while the environment is busy.
    """
    aws = aws.at(None, "start")  # a caller may have ports of a target; deployments begin at home
    start, patch = _decode(body)
    Names(start.environment)
    check_source(start.action, start.from_, start.environment)
    _check_secret_version(start)
    _check_webhook(start.config, aws)
    claim = claim_of(key, caller, body)
    now = clock()
    environment = recover(aws.records.environment(start.environment), aws)
    if start.action in _NEEDS_RELEASE:
        _refuse_without_release(environment)
    refuse_undecidable(start.action, start.options)
    if start.action in _CREATES and not environment.is_known and not start.create:
        refuse_near_name(start.environment, _near(start.environment, aws))
    promotion = resumes.promotion if resumes else promotion or _promotion(start, aws)
    config, unknown_config = patched(patch, environment.last_good, replaces=start.replace or resumes is not None)
    replaces = start.replace or resumes is not None
    config = with_target(config, patch, environment, aws.settings, replaces=replaces)
    deployment = Deployment(
        id=deployment_id(claim),
        environment=start.environment,
        action=start.action,
        status=DeploymentStatus.PENDING,
        config=config,
        options=start.options,
        created_at=stamp(now),
        caller=caller,
        resumes=resumes.id if resumes else "",
        unknown_config=resumes.unknown_config if resumes else unknown_config,
        patch=patch,
        replaces=replaces,
        promotion=promotion,
        bundle=resumes.bundle if resumes else bundle,
    )
    try:
        _record(deployment, environment, claim, aws, now.timestamp())
    except Conflict as refused:
        if claimed := claimed_deployment(refused, claim):
            deployment = aws.records.deployment(claimed)
        elif start.options.if_busy == "wait":
            return enqueue(deployment, refused, claim, aws, clock)
        else:
            raise
    return _execute(deployment, aws)


def _promotion(start: Start, aws: Aws) -> Promotion | None:
    return promotion_of(recover(aws.records.environment(start.from_), aws), aws) if start.from_ else None


def _near(name: str, aws: Aws) -> list[Environment]:
    """The environments whose names are near this one: only their records are read, not those of all."""
    return [aws.records.environment(other) for other in near_names(name, aws.records.environment_names())]


def _refuse_without_release(environment: Environment) -> None:
    if not environment.is_known:
        raise unknown_environment(environment.name, field="environment")
    if environment.status == "REMOVED":
        raise Conflict(
            f"environment {environment.name} was removed",
            code="EnvironmentRemoved",
            field="environment",
            remedy="POST /deployments with action deploy makes it anew.",
        )


def _check_webhook(config: Config, aws: Aws) -> None:
    if config.webhook and webhook_url.is_on_this_machine(config.webhook.url) and not aws.settings.embedded:
        raise BadRequest(
            "config.webhook.url names this machine, which is no receiver in an account",
            field="config.webhook.url",
            remedy="Name a public https:// host.",
        )


def _check_secret_version(start: Start) -> None:
    if start.options.secret_version is None and start.action is Action.ROTATE:
        raise BadRequest(
            "action rotate needs the version of the secret to roll",
            field="options.secret_version",
            remedy="PATCH /environments/{name}/secret stores a version and rolls it.",
        )
    if start.options.secret_version is not None and start.action not in _ROLLS_SECRET:
        raise BadRequest(
            f"action {start.action.value} rolls no secret",
            field="options.secret_version",
            remedy="Leave it out, or use action rotate or deploy.",
        )


def _decode(body: Mapping[str, object]) -> tuple[Start, Mapping[str, object]]:
    """The body, and its `config` as it was sent, {} without one: a field that is null has a meaning there."""
    config = body.get("config", {})
    if not isinstance(config, Mapping):
        return decode(Start, body), {}
    refuse_unknown(Config, config, under="config")
    return decode(Start, {**body, "config": without_nulls(config)}), config


def _record(deployment: Deployment, environment: Environment, claim: Claim | None, aws: Aws, now: float) -> None:
    """Write record, lock and claim; take over the lock of a dead deployment, and end that. now: epoch seconds."""
    refuse_to_overtake(environment, claim, aws)
    dead = dead_lock(environment, aws, now)
    aws.records.start(deployment, Lock(deployment.id, "", now + LEASE_S), claim, dead)
    if dead:
        settle(dead.deployment_id, aws, now)


def _execute(deployment: Deployment, aws: Aws) -> Deployment:
    """Start the execution of a deployment that holds its environment's lock and has none yet."""
    if _is_not_ours_to_start(deployment, aws):
        return deployment
    # Starting twice under one name starts once, so this also serves a deployment whose starter died after its record.
    arn = aws.executions.start(deployment.id, execution_input(deployment))
    return dataclasses.replace(deployment, execution_arn=arn)


def _is_not_ours_to_start(deployment: Deployment, aws: Aws) -> bool:
    """Whether the deployment, recorded by an earlier request, has ended or still waits in the queue."""
    if deployment.status.is_final or deployment.execution_arn:
        return deployment.status.is_final
    lock = aws.records.environment(deployment.environment).lock
    return lock is None or lock.deployment_id != deployment.id
