"""Stops a fleet deployment, and ends one whose execution died."""

from __future__ import annotations

from chalicelib.domain.codec import encode
from chalicelib.domain.errors import NotFound
from chalicelib.domain.fleets.model import FleetDeployment, Stop
from chalicelib.domain.times import Clock, stamp
from chalicelib.ports import Aws

EXECUTION_STOPPED = "ExecutionStopped"
_SWEEP = "proxyctl-sweep"
_SETTLE = "-settle-"
_PERIOD_S = 900
_STARTING_S = 60  # a record without an execution that is older has lost its starter
_CLOSED = frozenset({None, "SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"})


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
    now = clock()
    if not deployment.execution_arn:
        return _start(deployment, aws, clock)
    if aws.fleet_executions.status(deployment.execution_arn) not in _CLOSED:
        return ""
    name = f"{id_}{_SETTLE}{int(now.timestamp() // _PERIOD_S)}"
    aws.fleet_executions.start(name, {"id": id_, "settle": "yes"})
    return f"settling {id_}, whose execution was stopped"


def _start(deployment: FleetDeployment, aws: Aws, clock: Clock) -> str:
    # The first step notes the execution on the record: one of this name may be there already, or closed.
    arn = aws.fleet_executions.start(deployment.id, {"id": deployment.id})
    if aws.fleet_executions.status(arn) in _CLOSED:
        name = f"{deployment.id}{_SETTLE}{int(clock().timestamp() // _PERIOD_S)}"
        aws.fleet_executions.start(name, {"id": deployment.id, "settle": "yes"})
        return f"settling {deployment.id}, whose execution was stopped before its first step"
    return f"started {deployment.id}, unless it runs"


def id_of(execution: str) -> str:
    """The fleet deployment that an execution of this name belongs to."""
    return execution.partition(_SETTLE)[0]
