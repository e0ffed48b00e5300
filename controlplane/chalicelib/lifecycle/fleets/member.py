"""One environment of a fleet: starts its deployment, or its rollback, and waits until that has ended.

An item of the state machine's Map. Each call does one step and answers `{status, poll_after_s, polls}`; what came of it
is on record. A repeated call begins nothing again: the member's record and an Idempotency-Key say what has begun.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from chalicelib.domain.codec import decode_lenient, encode
from chalicelib.domain.errors import NotFound, RolloutError, Throttled
from chalicelib.domain.fleets.model import FleetDeployment, FleetMember, MemberStatus, Undoing
from chalicelib.domain.model import Action, Deployment, DeploymentStatus, Environment
from chalicelib.domain.options import LONGEST_REASON
from chalicelib.domain.times import Clock, stamp
from chalicelib.ports import Aws

from ..abort import abort_once
from ..start import begin

_PAUSES_S = (2, 2, 3, 5, 8, 13, 20, 30, 60, 120)  # the last one goes on: an execution has 25,000 events
_STEADY = 6  # polls at each pause from the sixth on
_ROLLS_A_BUNDLE = (Action.DEPLOY, Action.PLAN)
_LONGEST_SUMMARY = 500  # characters of a member's record


@dataclass(frozen=True, slots=True)
class Poll:
    """The answer of the call before. polls: calls so far."""

    polls: int = 0


@dataclass(frozen=True, slots=True)
class Item:
    """An item of the Map. purpose: `ROLL` or `ROLL_BACK`."""

    id: str
    environment: str
    wave: int
    purpose: str = "ROLL"
    result: Poll = Poll()


def roll_member(event: Mapping[str, object], aws: Aws, clock: Clock) -> dict[str, object]:
    """event: `Item`. Raises Throttled, which Step Functions retries."""
    item = decode_lenient(Item, event)
    member = aws.fleets.member(item.id, item.wave, item.environment)
    done = _take_back(item, member, aws, clock) if item.purpose == "ROLL_BACK" else _roll(item, member, aws, clock)
    polls = item.result.polls
    return {
        "status": "SUCCEEDED" if done else "IN_PROGRESS",
        "poll_after_s": 0 if done else pause_s(polls),
        "polls": polls + 1,
    }


def pause_s(polls: int) -> int:
    """Seconds until the next look: 2 at first, two minutes after about half an hour."""
    place = polls if polls < _STEADY else _STEADY + (polls - _STEADY) // _STEADY
    return _PAUSES_S[min(place, len(_PAUSES_S) - 1)]


def _roll(item: Item, member: FleetMember, aws: Aws, clock: Clock) -> bool:
    """Whether the member has ended, or never begins."""
    fleet = aws.fleets.deployment(item.id)
    if member.status is MemberStatus.PENDING:
        begun = _begin(fleet, member, aws, clock)
        return begun is None or begun.status is not MemberStatus.RUNNING
    if member.status is not MemberStatus.RUNNING:
        return True
    if not member.deployment_id:
        return _start(fleet, member, aws, clock).status is not MemberStatus.RUNNING
    return _follow(fleet, member, aws, clock)


def _begin(fleet: FleetDeployment, member: FleetMember, aws: Aws, clock: Clock) -> FleetMember | None:
    """Record that the member begins, then start it; None when the fleet was stopped, or its wave has failed."""
    if fleet.stop or not aws.fleets.wave(fleet.id, member.wave).tolerates(fleet.gate):
        return None
    environment = aws.records.environment(member.environment)
    running = replace(
        member,
        status=MemberStatus.RUNNING,
        started_at=stamp(clock()),
        before=_release_of(environment),
        target=environment.target if environment.has_resources else None,
    )
    return _start(fleet, running, aws, clock) if aws.fleets.begin_member(fleet.id, running) else None


def _release_of(environment: Environment) -> tuple[str, str]:
    return environment.last_good.identity if environment.last_good else ("", "")


def _start(fleet: FleetDeployment, member: FleetMember, aws: Aws, clock: Clock) -> FleetMember:
    """Start the member's deployment; a refusal ends the member."""
    try:
        started = begin(
            _body(fleet, member),
            aws,
            clock,
            caller=fleet.caller,
            key=f"{fleet.id}-{member.environment}",
            promotion=fleet.promotion,
            bundle=fleet.bundle if fleet.action in _ROLLS_A_BUNDLE else "",
        )
    except Throttled:
        raise
    except RolloutError as refused:
        return _end(fleet, member, refused.message, aws, clock)
    running = replace(member, deployment_id=started.id, target=started.config.target)
    aws.fleets.update_member(fleet.id, running)
    return running


def _body(fleet: FleetDeployment, member: FleetMember) -> dict[str, object]:
    """The body of the member's POST /deployments."""
    options, config = fleet.body.get("options", {}), fleet.body.get("config", {})
    if fleet.body.get("replace") and member.target and "target" not in config:
        # All members get the same settings, but each stays in its place.
        config = {**config, "target": encode(member.target)}
    return {
        **fleet.body,
        "environment": member.environment,
        "config": config,
        "options": {**options, "reason": _reason(fleet)},
    }


def _reason(fleet: FleetDeployment) -> str:
    return f"fleet {fleet.fleet} ({fleet.id}) {fleet.reason}".strip()[:LONGEST_REASON]


def _follow(fleet: FleetDeployment, member: FleetMember, aws: Aws, clock: Clock) -> bool:
    """Whether the member's deployment has ended. One that goes on after a stop of the fleet is aborted."""
    try:
        deployment = aws.records.deployment(member.deployment_id)
    except NotFound:
        _end(fleet, member, f"deployment {member.deployment_id} has no record any more", aws, clock)
        return True
    if deployment.status.is_final:
        _end(fleet, member, "", aws, clock, deployment)
        return True
    if fleet.stop:
        abort_once(deployment, fleet.stop.by, aws, clock)
    return False


def _end(
    fleet: FleetDeployment,
    member: FleetMember,
    why: str,
    aws: Aws,
    clock: Clock,
    deployment: Deployment | None = None,
) -> FleetMember:
    """Record how the member ended. why: "" where its deployment says it."""
    good = deployment is not None and deployment.status is DeploymentStatus.SUCCEEDED
    summary = why or (deployment.summary if deployment else "")
    ended = replace(
        member,
        status=MemberStatus.SUCCEEDED if good else MemberStatus.FAILED,
        outcome=deployment.status.value if deployment else "",
        summary=summary[:_LONGEST_SUMMARY],
        ended_at=stamp(clock()),
    )
    aws.fleets.end_member(fleet.id, ended)
    return ended


def lose_member(fleet: FleetDeployment, member: FleetMember, aws: Aws, clock: Clock) -> None:
    """Record a member that its task could not bring to an end. A deployment that it has started goes on by itself."""
    goes_on = f"; deployment {member.deployment_id} goes on by itself" if member.deployment_id else ""
    lost = f"its task failed again and again: see the Map Run of the fleet's execution{goes_on}"
    if member.status is MemberStatus.SUCCEEDED:
        aws.fleets.update_member(fleet.id, replace(member, undone=Undoing.FAILED, rollback_summary=lost))
        return
    if member.status is MemberStatus.PENDING:
        member = replace(member, status=MemberStatus.RUNNING, started_at=stamp(clock()))
        aws.fleets.begin_member(fleet.id, member)
    _end(fleet, member, lost, aws, clock)


def _take_back(item: Item, member: FleetMember, aws: Aws, clock: Clock) -> bool:
    """Whether the member has been taken back, or need not or cannot be."""
    if member.undone.is_final:
        return True
    fleet = aws.fleets.deployment(item.id)
    if member.rollback_id:
        return _rolled_back(fleet, member, aws)
    environment = aws.records.environment(member.environment)
    if nothing := _nothing_to_undo(environment, member):
        aws.fleets.update_member(fleet.id, replace(member, undone=Undoing.NOTHING, rollback_summary=nothing))
        return True
    options: dict[str, object] = {"if_busy": "wait", "reason": f"rolled back with {_reason(fleet)}"[:LONGEST_REASON]}
    previous = environment.previous
    if previous is None or previous.identity != member.before:
        options["rollback_to"] = member.before[0]
    body = {"environment": member.environment, "action": Action.ROLLBACK.value, "options": options}
    try:
        started = begin(body, aws, clock, caller=fleet.caller, key=f"{fleet.id}-{member.environment}-back")
    except Throttled:
        raise
    except RolloutError as refused:
        aws.fleets.update_member(
            fleet.id, replace(member, undone=Undoing.FAILED, rollback_summary=refused.message[:_LONGEST_SUMMARY])
        )
        return True
    aws.fleets.update_member(fleet.id, replace(member, undone=Undoing.RUNNING, rollback_id=started.id))
    return False


def _nothing_to_undo(environment: Environment, member: FleetMember) -> str:
    """Why there is nothing to take back; "" when there is."""
    if member.before == ("", ""):
        return "nothing was live before"
    live = environment.last_good
    if live is None or live.identity == tuple(member.before):
        return "users kept the release that they had"
    if live.deployment_id != member.deployment_id:
        return f"deployment {live.deployment_id} has released since"
    return ""


def _rolled_back(fleet: FleetDeployment, member: FleetMember, aws: Aws) -> bool:
    try:
        rollback = aws.records.deployment(member.rollback_id)
    except NotFound:
        ended = replace(member, undone=Undoing.FAILED, rollback_summary="its rollback has no record any more")
        aws.fleets.update_member(fleet.id, ended)
        return True
    if not rollback.status.is_final:
        return False
    undone = Undoing.DONE if rollback.status is DeploymentStatus.SUCCEEDED else Undoing.FAILED
    summary = rollback.summary[:_LONGEST_SUMMARY]
    aws.fleets.update_member(fleet.id, replace(member, undone=undone, rollback_summary=summary))
    return True
