"""Phase 4: creates or updates the environment's CloudFormation stack with a change set.

Each call does one step; the cursor says what the phase waits for. The stack's state decides on the next step, also
after a crash (stack/state.py). The function's code and settings are updated by release_code, not here. What users feel
at once (the users' stage, reserved concurrency, log retention, protection) stays as their release has it until
apply_settings changes it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from chalicelib.domain.aws.stacks import Stack
from chalicelib.domain.errors import NotFound, PhaseFailed
from chalicelib.domain.evidence.stack import StackEvidence
from chalicelib.engine.fingerprints import fingerprint as fingerprint_of
from chalicelib.engine.phase import Definition, Request, Result, Status
from chalicelib.ports import Aws
from chalicelib.stack import follow, inputs, prepare, settle, state, template
from chalicelib.stack.change_set import advance
from chalicelib.stack.cursor import StackCursor
from chalicelib.stack.recovery import rebuild, repair
from chalicelib.stack.recovery.losses import Loss
from chalicelib.stack.recovery.parts import Part
from chalicelib.stack.state import Move

_TIMEOUT_S = 60 * 60
_SETTLE_FIRST = (Move.WAIT, Move.DELETE, Move.CONTINUE_ROLLBACK)


def fingerprint(request: Request, aws: Aws) -> str:
    """Hash of template, parameters and tags as the deployment ends with, the stack's id ("" unless it can be updated)
    and what stands of the resources that someone may have deleted underneath it."""
    names = request.names
    stack = aws.stacks.find(names.stack)
    parameters = inputs.parameters(request, aws, creates=False)
    updatable = stack is not None and state.next_move(stack.status) is Move.UPDATE
    return fingerprint_of(
        inputs.text(request, aws),
        {name: value for name, value in parameters.items() if name not in template.INCIDENTAL},
        _losses(stack, request, aws),
        aws.settings.tags_beside(names.tags),
        stack.id if stack and updatable else "",
    )


def run(request: Request, aws: Aws) -> Result[StackEvidence]:
    """One step of the stack's change; IN_PROGRESS until CloudFormation has finished it.

    Raises PhaseFailed: StackTimeout after an hour, StackNeedsHands for a state that only a person can end, and what
    `stack.settle`, `stack.change_set` and `stack.follow` raise.
    """
    if request.elapsed_s > _TIMEOUT_S:
        raise PhaseFailed(
            f"the stack operation has not ended within {_TIMEOUT_S // 60} minutes",
            code="StackTimeout",
            remedy="See the stack's events in the CloudFormation console; deploy again when the operation has ended.",
            evidence=StackEvidence(resources=request.cursor_as(StackCursor).resources),
        )
    step = request.cursor_as(StackCursor).step
    if step == "executing":
        return _with_role_policy(follow.follow(request, aws), request, aws)
    if step == "changing":
        return _with_role_policy(_after_change_set(request, aws), request, aws)
    return _with_role_policy(_begin(request, aws), request, aws)


def _with_role_policy(result: Result[StackEvidence], request: Request, aws: Aws) -> Result[StackEvidence]:
    """A finished result, with the digest of the role's policy as the change left it, what was repaired, and the address
    before where users have another one now."""
    if result.status is Status.IN_PROGRESS or result.evidence is None:
        return result
    evidence = replace(
        result.evidence, role_policy=repair.role_policy(request, aws), address_before=_address_before(result, request)
    )
    moved = f"users' address changed from {evidence.address_before} to {evidence.base_url}"
    lines = [*(evidence.repaired or ()), *([moved] if evidence.address_before else [])]
    return replace(result, summary="; ".join([result.summary, *lines]), evidence=evidence)


def _address_before(result: Result[StackEvidence], request: Request) -> str | None:
    """API Gateway's own address before; a domain stays where the API behind it is another one."""
    links = request.environment.links
    before = f"{links['api']}/v1" if links.get("api") else links.get("base_url", "")
    now = result.evidence.base_url if result.evidence else ""
    return before if before not in ("", now) else None


def _begin(request: Request, aws: Aws) -> Result[StackEvidence]:
    """Settle the stack first if its state asks for that, else request the change set."""
    stack = aws.stacks.find(request.names.stack)
    move = state.next_move(stack.status if stack else None)
    if stack is not None and move in _SETTLE_FIRST:
        return settle.settle(stack, move, request, aws)
    if stack is not None and move is Move.REFUSE:
        raise PhaseFailed(
            f"stack {stack.name} is in {stack.status}: {stack.reason or 'no reason given'}",
            code="StackNeedsHands",
            remedy="Bring it to a *_COMPLETE state in the CloudFormation console, then deploy again.",
            evidence={"stack_id": stack.id, "status": stack.status},
        )
    creates = move is Move.CREATE
    settle.refuse_mode_switch(stack, request, aws)
    return _request_change_set(None if creates else stack, request, aws)


@dataclass(frozen=True, slots=True)
class _Change:
    """The next change set, and what it is for. lines: of what was or will be made again; removes, rebuilds: see
    StackCursor."""

    wanted: prepare.Wanted
    lines: tuple[str, ...] = ()
    removes: tuple[Part, ...] = ()
    rebuilds: bool = False


def _request_change_set(stack: Stack | None, request: Request, aws: Aws) -> Result[StackEvidence]:
    """stack: None when the change set creates it."""
    leftovers = prepare.drop_leftovers(request, aws)
    if leftovers is None:
        return settle.wait_for_leftovers(request)
    before = request.cursor_as(StackCursor)
    losses = repair.find_losses(stack, request, aws) if stack else ()
    if waits := repair.wait_for_role(losses, request, before):
        return waits
    change = _update(losses, stack, request, aws) if stack else _creation(request, aws)
    requested = prepare.request_change_set(replace(change.wanted, number=before.rebuilt), request, aws)
    if requested is None:
        return settle.wait_for_leftovers(request)
    change_set, own = requested
    cursor = StackCursor(
        "changing",
        stack is None,
        own.id,
        own.digest,
        rebuilds=change.rebuilds,
        removes=change.removes,
        rebuilt=before.rebuilt,
    )
    # Of the updates before this one, too.
    lines = tuple(dict.fromkeys([*(before.repaired or ()), *change.lines]))
    done = StackEvidence(removed_change_sets=leftovers or None, repaired=lines or None)
    return advance(change_set, cursor, request, aws, done)


def _creation(request: Request, aws: Aws) -> _Change:
    lines = _vanished(request)
    _forget_releases(request, aws)
    text, parameters = inputs.for_candidate(None, request, aws, creates=True)
    return _Change(prepare.Wanted("deploy", text, parameters, creates=True), lines)


def _update(losses: Sequence[Loss], stack: Stack, request: Request, aws: Aws) -> _Change:
    """What brings back a lost API, function or role comes first, then the candidate's change."""
    gone = {loss.kind: loss for loss in losses if loss.state == "deleted"}
    rebuilt = rebuild.next_update(losses, stack, request, aws)
    if "function" in gone:
        _forget_releases(request, aws)
    elif "role" in gone:
        _forget_earlier_releases(request, aws)
    if rebuilt:
        wanted = prepare.Wanted("deploy", rebuilt.text, rebuilt.parameters)
        return _Change(wanted, rebuilt.lines, rebuilt.removes, rebuilds=True)
    repaired = _repair([loss for loss in losses if loss.kind != "function"], stack, request, aws)
    # An earlier deployment may have ended between the two updates that bring the function back.
    lines = [rebuild.describe(gone["function"], request)] if "function" in gone else []
    text, parameters = inputs.for_candidate(stack, request, aws, creates="function" in gone)
    if repaired.policy:
        parameters["Repair"] = repair.mark(request)
    return _Change(prepare.Wanted("deploy", text, parameters), (*lines, *repaired.lines))


def _losses(stack: Stack | None, request: Request, aws: Aws) -> list[str]:
    """What was deleted or changed underneath the stack, one line each; none while an operation runs on it."""
    settled = stack is not None and state.is_settled(stack.status)
    return [str(loss) for loss in repair.find_losses(stack, request, aws)] if stack and settled else []


def _repair(losses: Sequence[Loss], stack: Stack, request: Request, aws: Aws) -> repair.Repaired:
    repaired = repair.repair(losses, stack, request, aws)
    if repaired.lines:
        # Metric filters went with a log group, and no fingerprint of that phase sees it.
        aws.records.set_applied(request.environment.name, "configure_monitoring", None, holder=request.deployment_id)
    return repaired


def _vanished(request: Request) -> tuple[str, ...]:
    """A line for a stack that is created although a release was live in it."""
    good = request.environment.last_good
    if good is None:
        return ()
    return (f"stack {request.names.stack} was deleted, and version {good.version} with it: made again",)


def _forget_releases(request: Request, aws: Aws) -> None:
    """Delete the recorded releases before the function is created again.

    A new function numbers its versions from 1, so a recorded version number would name other code: a rollback to it
    would give users code that nobody has checked.
    """
    if not request.environment.good:
        return
    reset = {"live": None, "last_good": None, "previous": None, "releases": None, "status": "NEVER_LIVE"}
    aws.records.update_environment(request.environment.name, reset, holder=request.deployment_id)


def _forget_earlier_releases(request: Request, aws: Aws) -> None:
    """Delete the recorded releases but the live one: no version that had the lost role can serve again, and users stay
    on the live one, which answers until its processes end."""
    reset = {"previous": None, "releases": None}
    aws.records.update_environment(request.environment.name, reset, holder=request.deployment_id)


def _after_change_set(request: Request, aws: Aws) -> Result[StackEvidence]:
    cursor = request.cursor_as(StackCursor)
    try:
        change_set = aws.stacks.change_set(request.names.stack, cursor.change_set) if cursor.change_set else None
    except NotFound:
        change_set = None
    if change_set is None:
        # An earlier call executed it and died before it stored that: the stack's state says how to go on.
        return _begin(request, aws)
    return advance(change_set, cursor, request, aws, StackEvidence(repaired=cursor.repaired))


PHASE = Definition(run, StackEvidence, StackCursor, fingerprint)
