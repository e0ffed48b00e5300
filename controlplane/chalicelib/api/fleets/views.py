"""Records of fleets as the API shows them. Pure."""

from __future__ import annotations

from typing import cast

from chalicelib.domain.fleets.model import FleetMember, FleetState, FleetWave, MemberStatus
from chalicelib.domain.fleets.steps import failed_wave

from ..responses import ApprovalView, RecordedError
from ..views import seconds
from .responses import FleetDeploymentView, FleetMemberView, FleetWaveView

NOT_STARTED = "NOT_STARTED"


def show(state: FleetState) -> FleetDeploymentView:
    """A fleet deployment with its waves and members. The task token of an approval is not shown."""
    deployment, failed = state.deployment, failed_wave(state)
    approval = {"until": str(deployment.approval["until"])} if deployment.approval.get("until") else None
    return FleetDeploymentView(
        id=deployment.id,
        fleet=deployment.fleet,
        action=deployment.action,
        status=deployment.status,
        percent=_percent(state),
        created_at=deployment.created_at,
        caller=deployment.caller,
        reason=deployment.reason,
        gate=deployment.gate,
        on_failure=deployment.on_failure,
        at_once=deployment.at_once,
        wave=deployment.wave,
        execution_arn=deployment.execution_arn or None,
        started_at=deployment.started_at,
        ended_at=deployment.ended_at,
        duration_s=seconds(deployment.started_at, deployment.ended_at),
        summary=deployment.summary,
        error=cast("RecordedError | None", deployment.error),
        approval=cast("ApprovalView | None", approval),
        promotion=deployment.promotion,
        links=_links(state),
        waves=tuple(_wave(state, wave, failed) for wave in state.waves),
    )


def _links(state: FleetState) -> dict[str, str]:
    itself = f"fleets/{state.deployment.fleet}/deployments/{state.deployment.id}"
    return {"self": itself, "report": f"{itself}/report"}


def _percent(state: FleetState) -> int:
    if state.deployment.status.is_final:
        return 100
    ended = sum(member.status.is_final for member in state.members)
    return min(99, 100 * ended // max(1, len(state.members)))


def _wave(state: FleetState, wave: FleetWave, failed: int) -> FleetWaveView:
    members = tuple(_member(member, is_over=state.deployment.status.is_final) for member in state.of_wave(wave.number))
    return FleetWaveView(
        number=wave.number,
        status=_status(wave, members, failed),
        failed=wave.failed,
        passed_at=wave.passed_at or None,
        approved_by=wave.approved_by or None,
        approved_at=wave.approved_at or None,
        members=members,
    )


def _status(wave: FleetWave, members: tuple[FleetMemberView, ...], failed: int) -> str:
    if all(member.status in (MemberStatus.PENDING, NOT_STARTED) for member in members):
        return "PENDING"
    if failed == wave.number:
        return "FAILED"
    return "PASSED" if wave.passed_at else "RUNNING"


def _member(member: FleetMember, *, is_over: bool) -> FleetMemberView:
    never = is_over and member.status is MemberStatus.PENDING
    return FleetMemberView(
        environment=member.environment,
        status=NOT_STARTED if never else member.status.value,
        account=member.target.account if member.target else None,
        region=member.target.region if member.target else None,
        deployment=member.deployment_id or None,
        outcome=member.outcome or None,
        summary=member.summary,
        started_at=member.started_at or None,
        ended_at=member.ended_at or None,
        rolled_back=member.undone.value or None,
        rollback=member.rollback_id or None,
        rollback_summary=member.rollback_summary or None,
    )
