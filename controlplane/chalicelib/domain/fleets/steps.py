"""What a fleet deployment does next, decided from its record alone. Pure.

Every call of the state machine's AdvanceFleet asks this question again, so that a repeated call, a second execution
after a kill and the first one reach the same answer.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from chalicelib.domain.model import Action, DeploymentStatus
from chalicelib.domain.words import counted

from .model import FleetMember, FleetState, FleetWave, MemberStatus, Undoing

SHORTEST_SOAK_S, LONGEST_SOAK_S = 5, 300  # seconds between two looks at the alarms
_SHOWN = 5  # environments that a summary names
_RELEASES = (Action.DEPLOY, Action.PROMOTE)


class Next(StrEnum):
    """ROLL: run the members; SOAK: wait and look at their alarms; APPROVE: wait for a person; ROLL_BACK: take members
    back; END: nothing is left to do."""

    ROLL = "ROLL"
    SOAK = "SOAK"
    APPROVE = "APPROVE"
    ROLL_BACK = "ROLL_BACK"
    END = "END"


@dataclass(frozen=True, slots=True)
class Step:
    """members: to run or to take back. wait_s: of SOAK, until the next look."""

    kind: Next
    wave: int = 0
    members: tuple[FleetMember, ...] = ()
    wait_s: int = 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a fleet deployment ends. error: `{code, message, remedy}`, None for a success."""

    status: DeploymentStatus
    summary: str
    error: dict[str, str] | None = None


def next_step(state: FleetState, now: datetime) -> Step:
    """The next step. now: UTC."""
    failed = failed_wave(state)
    if failed:
        running = tuple(member for member in state.members if member.status is MemberStatus.RUNNING)
        return Step(Next.ROLL, failed, running) if running else _after_failure(state, failed)
    for wave in state.waves:
        unfinished = tuple(member for member in state.of_wave(wave.number) if not member.status.is_final)
        if unfinished:
            return Step(Next.ROLL, wave.number, unfinished)
        if gated := _gate(state, wave, now):
            return gated
    return Step(Next.END, len(state.waves))


def failed_wave(state: FleetState) -> int:
    """The wave that no further member may follow; 0 while all goes on."""
    begun = [member.wave for member in state.members if member.status is not MemberStatus.PENDING]
    if state.deployment.stop:
        return max(begun, default=1)
    broken = (wave.number for wave in state.waves if not wave.tolerates(state.deployment.gate))
    return next(broken, 0)


def _gate(state: FleetState, wave: FleetWave, now: datetime) -> Step | None:
    """What the wave still waits for before the next one; None when nothing, or no further wave, is left."""
    gate = state.deployment.gate
    if wave.number == len(state.waves):
        return None
    if state.has_begun(wave.number + 1):
        return None  # The next wave has begun: this gate was passed.
    soaked_s = (now - datetime.fromisoformat(wave.passed_at)).total_seconds() if wave.passed_at else 0.0
    left_s = gate.soak_s - soaked_s
    if left_s > 0:
        return Step(Next.SOAK, wave.number, wait_s=soak_pause_s(left_s))
    if gate.approval == "required" and not wave.approved_by:
        return Step(Next.APPROVE, wave.number)
    return None


def soak_pause_s(left_s: float) -> int:
    """Seconds until the next look: short near the end and for short soaks, so that a day takes few looks."""
    return max(1, min(round(left_s), max(SHORTEST_SOAK_S, min(LONGEST_SOAK_S, round(left_s / 20)))))


def _after_failure(state: FleetState, wave: int) -> Step:
    """Take back what is to go back, then end."""
    unfinished = tuple(member for member in to_take_back(state, wave) if not member.undone.is_final)
    return Step(Next.ROLL_BACK, wave, unfinished) if unfinished else Step(Next.END, wave)


def to_take_back(state: FleetState, failed: int) -> Iterator[FleetMember]:
    """The members that `on_failure` takes back, newest wave first. A member that failed went back by itself.

    failed: the wave after which nothing goes on.
    """
    deployment = state.deployment
    keeps = deployment.on_failure == "keep" or (deployment.stop is not None and deployment.stop.keeps)
    if keeps or deployment.action not in _RELEASES:
        return
    for member in reversed(state.members):
        in_scope = deployment.on_failure == "roll_back" or member.wave == failed
        if in_scope and member.status is MemberStatus.SUCCEEDED:
            yield member


def outcome_of(state: FleetState) -> Outcome:
    """How it ended: all its steps are done."""
    deployment, stop = state.deployment, state.deployment.stop
    broken = next((wave for wave in state.waves if not wave.tolerates(deployment.gate)), None)
    if stop is None and broken is None:
        return Outcome(DeploymentStatus.SUCCEEDED, _success(state))
    untouched = sum(member.status is MemberStatus.PENDING for member in state.members)
    if stop:
        code, message = stop.code, stop.message
    else:
        assert broken is not None, "without a stop a wave has failed"
        code, message = "WaveFailed", _failure(state, broken)
    rest = f"Not begun: {counted(untouched, 'environment')}" if untouched else ""
    summary = ". ".join(filter(None, [message, *_taken_back(state), rest]))
    remedy = f"GET /fleets/{deployment.fleet}/deployments/{deployment.id} shows every environment and its deployment."
    return Outcome(_status(state, code), summary, {"code": code, "message": message, "remedy": remedy})


def _status(state: FleetState, code: str) -> DeploymentStatus:
    if code == "Aborted":
        return DeploymentStatus.ABORTED
    undone = {member.undone for member in state.members}
    went_back = Undoing.DONE in undone and Undoing.FAILED not in undone
    return DeploymentStatus.ROLLED_BACK if went_back else DeploymentStatus.FAILED


def _success(state: FleetState) -> str:
    failed = [member.environment for member in state.members if member.status is MemberStatus.FAILED]
    done = f"{counted(len(state.members) - len(failed), 'environment')} in {counted(len(state.waves), 'wave')}"
    return f"{done}; tolerated: {_named(failed)} failed" if failed else done


def _failure(state: FleetState, wave: FleetWave) -> str:
    failed = [member for member in state.of_wave(wave.number) if member.status is MemberStatus.FAILED]
    why = f": {failed[0].environment}: {failed[0].summary}" if failed else ""
    count = f"{len(failed)} of {counted(wave.members, 'environment')} failed"
    return f"Wave {wave.number} of {len(state.waves)} stopped the fleet, {count}{why}"


def _taken_back(state: FleetState) -> Iterator[str]:
    for undone, words in ((Undoing.DONE, "Rolled back"), (Undoing.FAILED, "Could not be rolled back")):
        names = [member.environment for member in state.members if member.undone is undone]
        if names:
            yield f"{words}: {_named(names)}"


def _named(names: Collection[str]) -> str:
    """The first few by name, and how many more."""
    listed = sorted(names)
    more = f" and {len(listed) - _SHOWN} more" if len(listed) > _SHOWN else ""
    return ", ".join(listed[:_SHOWN]) + more
