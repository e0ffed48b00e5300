"""The bodies of answers about fleets. See `responses` for the rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from chalicelib.domain.fleets.model import Fleet, FleetRow, Gate
from chalicelib.domain.fleets.promotions import Promotion
from chalicelib.domain.model import Action, DeploymentStatus

from ..responses import ApprovalView, RecordedError


@dataclass(frozen=True, slots=True)
class FleetList:
    """Fleets by name, last first. cursor: what asks for the next page, null on the last."""

    fleets: tuple[Fleet, ...]
    cursor: str | None


@dataclass(frozen=True, slots=True)
class FleetDeploymentPage:
    """Newest first. cursor: what asks for the next page, null on the last."""

    fleet: str
    deployments: tuple[FleetRow, ...]
    cursor: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetMemberView:
    """One environment. status: PENDING, RUNNING, SUCCEEDED, FAILED, or NOT_STARTED once the whole has ended.

    account, region: of its target; null for the control plane's own, and before it has begun.
    deployment: its rollout; outcome: how that ended. rolled_back: RUNNING, DONE, FAILED, NOTHING (there was nothing to
    take back, or nowhere to go), null when it stays.
    """

    environment: str
    status: str
    account: str | None
    region: str | None
    deployment: str | None
    outcome: str | None
    summary: str
    started_at: str | None
    ended_at: str | None
    rolled_back: str | None
    rollback: str | None
    rollback_summary: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetWaveView:
    """One wave. status: PENDING, RUNNING, PASSED, FAILED. passed_at: when its members had ended, before its gate."""

    number: int
    status: str
    failed: int
    passed_at: str | None
    approved_by: str | None
    approved_at: str | None
    members: tuple[FleetMemberView, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetDeploymentView:
    """A fleet deployment. percent: share of the environments that have ended. wave: the one that runs, 0 before it."""

    id: str
    fleet: str
    action: Action
    status: DeploymentStatus
    percent: int
    created_at: str
    caller: str
    reason: str
    gate: Gate
    on_failure: str
    at_once: int
    wave: int
    execution_arn: str | None
    started_at: str | None
    ended_at: str | None
    duration_s: float | None
    summary: str
    error: RecordedError | None
    approval: ApprovalView | None
    promotion: Promotion | None
    links: Mapping[str, str]
    waves: tuple[FleetWaveView, ...]
