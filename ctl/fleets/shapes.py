"""The API's answers about fleets. See `ctl.shapes`."""

from typing import Any, Required, TypedDict

from ctl.shapes import Approval, Error


class FleetMember(TypedDict, total=False):
    """One environment. status NOT_STARTED: the fleet ended before its turn came. account, region: of its target, null
    where it is in the control plane's own."""

    environment: Required[str]
    status: Required[str]
    account: str | None
    region: str | None
    deployment: str | None
    outcome: str | None
    summary: str
    rolled_back: str | None
    rollback: str | None
    rollback_summary: str | None


class FleetWave(TypedDict, total=False):
    number: Required[int]
    status: Required[str]
    failed: int
    approved_by: str | None
    members: Required[list[FleetMember]]


class FleetDeployment(TypedDict, total=False):
    """GET /fleets/{name}/deployments/{id}."""

    id: Required[str]
    fleet: Required[str]
    status: Required[str]
    action: str
    percent: int
    wave: int
    created_at: str
    ended_at: str | None
    caller: str
    summary: str
    error: Error | None
    approval: Approval | None
    gate: dict[str, Any]
    on_failure: str
    links: dict[str, str]
    waves: Required[list[FleetWave]]


class Fleet(TypedDict, total=False):
    """One of GET /fleets. running: the deployment that holds it, "" for none."""

    name: Required[str]
    running: str
    last_deployment: str
    updated_at: str
