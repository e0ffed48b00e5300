"""Starts the deployment of a fleet: what every member will roll is fixed here, before the first one begins."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace

from chalicelib.domain.codec import decode, refuse_unknown
from chalicelib.domain.config import Config
from chalicelib.domain.drills import DRILL_RECORD_ENVIRONMENT
from chalicelib.domain.errors import BadRequest, Conflict
from chalicelib.domain.fleets.model import FleetDeployment, FleetMember, FleetState, FleetWave
from chalicelib.domain.fleets.request import FleetStart, check, refuse_unknown_members
from chalicelib.domain.model import DeploymentStatus
from chalicelib.domain.names import Names
from chalicelib.domain.options import Options
from chalicelib.domain.records import Claim
from chalicelib.domain.times import Clock, stamp
from chalicelib.ports import Aws
from chalicelib.upgrade.requests import RECORD_ENVIRONMENT

from ..config_patch import without_nulls
from ..feasibility import refuse_undecidable
from ..idempotency import claim_of, claimed_deployment
from ..promotions import check_source, promotion_of


def begin_fleet(
    name: str, body: Mapping[str, object], aws: Aws, clock: Clock, *, caller: str, key: str | None
) -> FleetDeployment:
    """Record the fleet deployment that this request stands for, and start its execution.

    Raises BadRequest naming the field, NotFound for an unknown `from`, Conflict: FleetBusy, and of `promotion_of`.
    """
    Names(name)
    start, options = _decode(body)
    check(start, options)
    check_source(start.action, start.from_, "")
    refuse_undecidable(start.action, options)
    refuse_unknown_members(start, set(aws.records.environment_names()))
    claim = _claim(name, claim_of(key, caller, body))
    state = _state(name, start, options, claim, aws, clock, caller)
    try:
        aws.fleets.start(state, claim)
    except Conflict as refused:
        earlier = claimed_deployment(refused, claim)
        if not earlier:
            raise
        return execute(aws.fleets.deployment(earlier), aws)
    return execute(state.deployment, aws)


def execute(deployment: FleetDeployment, aws: Aws) -> FleetDeployment:
    """Start the execution of one that has none yet. Starting twice under one name starts once."""
    if deployment.status.is_final or deployment.execution_arn:
        return deployment
    return replace(deployment, execution_arn=aws.fleet_executions.start(deployment.id, {"id": deployment.id}))


def _decode(body: Mapping[str, object]) -> tuple[FleetStart, Options]:
    """The body, with `config` and `options` checked as for one environment."""
    start = decode(FleetStart, body)
    refuse_unknown(Config, start.config, under="config")
    decode(Config, without_nulls(start.config), under="config")
    options = decode(Options, start.options, under="options")
    for name in (DRILL_RECORD_ENVIRONMENT, RECORD_ENVIRONMENT):
        if name in start.environments:
            raise BadRequest(
                f"the name {name} is reserved for the records of drills and upgrades",
                field="waves",
                remedy="Take it out.",
            )
    return start, options


def _claim(fleet: str, claim: Claim | None) -> Claim | None:
    """A key of a fleet is none of a deployment's."""
    return Claim(f"fleet/{fleet}/{claim.key}", claim.body_sha256) if claim else None


def _state(
    name: str, start: FleetStart, options: Options, claim: Claim | None, aws: Aws, clock: Clock, caller: str
) -> FleetState:
    created_at = stamp(clock())
    unique = claim.key if claim else f"{name}/{caller}/{created_at}/{start.environments}"
    source = aws.records.environment(start.from_) if start.from_ else None
    deployment = FleetDeployment(
        id=f"f-{hashlib.sha256(unique.encode()).hexdigest()[:20]}",
        fleet=name,
        action=start.action,
        status=DeploymentStatus.PENDING,
        created_at=created_at,
        body=_member_body(start),
        gate=start.gate,
        on_failure=start.on_failure,
        at_once=start.at_once,
        waves=len(start.waves),
        members=len(start.environments),
        caller=caller,
        reason=options.reason,
        promotion=promotion_of(source, aws) if source else None,
        bundle=aws.settings.bundle_key,
    )
    waves = [FleetWave(number, len(names)) for number, names in enumerate(start.waves, 1)]
    members = [FleetMember(name, number) for number, names in enumerate(start.waves, 1) for name in names]
    return FleetState(deployment, waves, members)


def _member_body(start: FleetStart) -> dict[str, object]:
    """What a POST /deployments of each member says, without its environment."""
    body: dict[str, object] = {
        "action": start.action.value,
        "config": dict(start.config),
        "options": {"if_busy": "wait", **start.options},
        "replace": start.replace,
        "create": start.create,
    }
    return body | ({"from": start.from_} if start.from_ else {})
