"""Takes a fleet deployment to its next step: reads its record, decides, records, and tells the state machine.

The record decides, not the execution: a call that is repeated, and the execution that settles one that was killed,
go on where the record stands.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from chalicelib.domain.codec import decode_lenient, encode
from chalicelib.domain.errors import Conflict
from chalicelib.domain.fleets.model import FleetMember, FleetState, FleetWave, MemberStatus, Stop
from chalicelib.domain.fleets.steps import Next, Outcome, Step, failed_wave, next_step, outcome_of
from chalicelib.domain.model import DeploymentStatus
from chalicelib.domain.names import OWNER
from chalicelib.domain.times import Clock, stamp
from chalicelib.ports import Aws

from .alarms import alarm_stop
from .member import lose_member
from .settle import execution_stopped, record_stop

_APPROVAL = timedelta(days=1)  # TimeoutSeconds of the ASL state


@dataclass(frozen=True, slots=True)
class Member:
    """An item of the Map that has just ended."""

    environment: str = ""
    wave: int = 0


@dataclass(frozen=True, slots=True)
class Call:
    """The event. settle: `yes` in an execution that only ends one whose execution died. token: Step Functions' task
    token, of the state that waits for an approval. next, members: of the answer before, {} at first."""

    id: str
    execution_arn: str
    settle: str = "no"
    token: str = ""
    next: str = ""
    members: tuple[Member, ...] = ()

    @property
    def settles(self) -> bool:
        return self.settle == "yes"


def advance_fleet(event: Mapping[str, object], aws: Aws, clock: Clock) -> dict[str, object]:
    """Answers `{id, next, wave, members, at_once, wait_s, succeeded}`; next: see `steps.Next`.

    With a token it notes that the fleet deployment waits for an approval, which POST …/approve answers.
    """
    call = decode_lenient(Call, event)
    state = _taken_up(aws.fleets.state(call.id), call, aws, clock)
    if state.deployment.status.is_final:
        return _answer(state, Step(Next.END), succeeded=state.deployment.status is DeploymentStatus.SUCCEEDED)
    if call.token:
        return _await_approval(state, call.token, aws, clock)
    if call.members:
        state = _without_lost(state, call, aws, clock)
    state = _judged(state, aws, clock)
    step = next_step(state, clock())
    if step.kind is Next.END:
        return _answer(state, step, succeeded=_conclude(state, aws, clock))
    if step.wave > state.deployment.wave:
        aws.fleets.update(call.id, {"wave": step.wave})
    return _answer(state, step)


def _answer(state: FleetState, step: Step, *, succeeded: bool = False) -> dict[str, object]:
    return {
        "id": state.deployment.id,
        "next": step.kind.value,
        "wave": step.wave,
        "members": [{"environment": member.environment, "wave": member.wave} for member in step.members],
        "settle": "no",
        "at_once": state.deployment.at_once,
        "wait_s": step.wait_s,
        "succeeded": succeeded,
    }


def _taken_up(state: FleetState, call: Call, aws: Aws, clock: Clock) -> FleetState:
    """The state, marked as running in this execution; one whose execution died is stopped first."""
    deployment = state.deployment
    if deployment.status.is_final:
        return state
    if call.settles and not deployment.stop:
        record_stop(deployment.id, execution_stopped(clock), aws)
    changes: dict[str, object] = {}
    if deployment.execution_arn != call.execution_arn:
        changes["execution_arn"] = call.execution_arn
    if deployment.started_at is None:
        changes |= {"started_at": stamp(clock())}
    waited = deployment.status is DeploymentStatus.WAITING_APPROVAL and not call.token
    if deployment.status is DeploymentStatus.PENDING or waited:
        changes["status"] = DeploymentStatus.RUNNING.value
    if changes:
        aws.fleets.update(deployment.id, changes)
    return aws.fleets.state(deployment.id) if changes or call.settles else state


def _without_lost(state: FleetState, call: Call, aws: Aws, clock: Clock) -> FleetState:
    """The state after a Map: a member that should have ended and has not was lost by Step Functions, and has failed.

    Without this the same members would be run again without end.
    """
    ran = {(member.environment, member.wave) for member in call.members}
    goes_on = not failed_wave(state)
    lost = [
        member
        for member in state.members
        if (member.environment, member.wave) in ran and _is_lost(member, call.next, goes_on=goes_on)
    ]
    for member in lost:
        lose_member(state.deployment, member, aws, clock)
    return aws.fleets.state(state.deployment.id) if lost else state


def _is_lost(member: FleetMember, purpose: str, *, goes_on: bool) -> bool:
    if purpose == Next.ROLL_BACK:
        return not member.undone.is_final
    return member.status is MemberStatus.RUNNING or (goes_on and member.status is MemberStatus.PENDING)


def _judged(state: FleetState, aws: Aws, clock: Clock) -> FleetState:
    """The state, with the wave that has just passed on record, or with the reason why it has not."""
    for wave in state.waves:
        if _has_just_passed(state, wave):
            aws.fleets.update_wave(state.deployment.id, wave.number, {"passed_at": stamp(clock())})
            return aws.fleets.state(state.deployment.id)
    if state.deployment.stop:
        return state
    if stop := _refused(state, aws, clock):
        aws.fleets.stop(state.deployment.id, encode(stop))
        return aws.fleets.state(state.deployment.id)
    return state


def _has_just_passed(state: FleetState, wave: FleetWave) -> bool:
    ended = all(member.status.is_final for member in state.of_wave(wave.number))
    return ended and not wave.passed_at and wave.tolerates(state.deployment.gate)


def _refused(state: FleetState, aws: Aws, clock: Clock) -> Stop | None:
    """Why the gate after the wave that passed last does not open; None while nothing speaks against it."""
    step = next_step(state, clock())
    until = str(state.deployment.approval.get("until", ""))
    waited = step.kind is Next.APPROVE and until and state.deployment.approval.get("wave") == step.wave
    if waited and stamp(clock()) >= until:
        message = f"Nobody approved wave {step.wave + 1} within a day"
        return Stop("ApprovalTimeout", message, stamp(clock()), OWNER)
    soaks = state.deployment.gate.soak_s > 0
    passed = max((wave for wave in state.waves if wave.passed_at), key=lambda wave: wave.number, default=None)
    if not soaks or passed is None or passed.number == len(state.waves) or state.has_begun(passed.number + 1):
        return None
    return alarm_stop(passed.number, state.of_wave(passed.number), aws, clock)


def _await_approval(state: FleetState, token: str, aws: Aws, clock: Clock) -> dict[str, object]:
    step = next_step(state, clock())
    until = stamp(clock() + _APPROVAL)
    approval = {"token": token, "until": until, "wave": step.wave}
    changes = {"status": DeploymentStatus.WAITING_APPROVAL.value, "approval": approval}
    aws.fleets.update(state.deployment.id, changes)
    now = aws.fleets.state(state.deployment.id)
    if now.deployment.stop or step.kind is not Next.APPROVE:
        # It was stopped, or approved, just before its token was on record: nobody else will answer that.
        aws.fleet_executions.approve(token, {})
    return _answer(state, step)


def _conclude(state: FleetState, aws: Aws, clock: Clock) -> bool:
    outcome: Outcome = outcome_of(state)
    changes = {
        "status": outcome.status.value,
        "summary": outcome.summary,
        "error": outcome.error,
        "ended_at": stamp(clock()),
        "approval": None,
    }
    try:
        aws.fleets.conclude(replace(state.deployment, status=outcome.status), changes)
    except Conflict:
        return False
    return outcome.status is DeploymentStatus.SUCCEEDED
