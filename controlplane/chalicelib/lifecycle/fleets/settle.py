"""Stops a fleet deployment, and ends one whose execution died."""

from __future__ import annotations

from chalicelib.domain.codec import encode
from chalicelib.domain.errors import NotFound
from chalicelib.domain.fleets.model import FleetDeployment, Stop
from chalicelib.domain.times import Clock, stamp
from chalicelib.ports import Aws

from ..execution import CLOSED, settling_name

EXECUTION_STOPPED = "ExecutionStopped"
_SWEEP = "proxyctl-sweep"


def record_stop(id_: str, stop: Stop, aws: Aws) -> None:
    """Record why no further member begins; an earlier reason stays. Raises Conflict when it has ended."""
    aws.fleets.stop(id_, encode(stop))


def execution_stopped(clock: Clock) -> Stop:
    """The reason of one whose execution died."""
    return Stop(EXECUTION_STOPPED, "Its execution was stopped from outside, or died", stamp(clock()), _SWEEP)


def is_fleet_execution(name: str) -> bool:
    """Whether an execution of this name belongs to a fleet."""
    return name.startswith("f-")


def settle_fleet(id_: str, aws: Aws, clock: Clock) -> str:
    """Start the execution of a fleet deployment whose starter died, or one that ends it when its execution died.

    Answers what was done, "" when it runs or has ended.
    """
    try:
        deployment = aws.fleets.deployment(id_)
    except NotFound:
        return ""
    if deployment.status.is_final:
        return ""
    if not deployment.execution_arn:
        return _start(deployment, aws, clock)
    if aws.fleet_executions.status(deployment.execution_arn) not in CLOSED:
        return ""
    _settle(deployment, aws, clock)
    return f"settling {id_}, whose execution was stopped"


def _start(deployment: FleetDeployment, aws: Aws, clock: Clock) -> str:
    # The first step notes the execution on the record: one of this name may be there already, or closed.
    arn = aws.fleet_executions.start(deployment.id, {"id": deployment.id})
    if aws.fleet_executions.status(arn) in CLOSED:
        _settle(deployment, aws, clock)
        return f"settling {deployment.id}, whose execution was stopped before its first step"
    return f"started {deployment.id}, unless it runs"


def _settle(deployment: FleetDeployment, aws: Aws, clock: Clock) -> None:
    name = settling_name(deployment.id, clock().timestamp())
    aws.fleet_executions.start(name, {"id": deployment.id, "settle": "yes"})
