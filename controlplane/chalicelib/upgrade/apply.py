"""Brings the control plane's own stack to a template and parameters, one step a call.

CloudFormation works with the rights of the role that calls it, and no role is left on the stack: a person who runs
`bootstrap.py up --direct` or `down` works with rights of their own (docs/decisions/801).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Never

from chalicelib.domain.aws.stacks import ChangeSet, Stack
from chalicelib.domain.errors import Conflict, NotFound, PhaseFailed
from chalicelib.engine.phase import Request, Result
from chalicelib.ports import Aws
from chalicelib.stack import failure, state
from chalicelib.stack.state import Move

STACK = "proxyctl"
PREFIX = "proxyctl-upgrade-"
TAGS: Mapping[str, str] = {"proxyctl:owner": "proxyctl"}
TIMEOUT_S = 60 * 60
_WHAT_MAKES_A_STATE = ("Release", "Publication", "Stage")


@dataclass(frozen=True, slots=True)
class Wanted:
    """purpose: part of the change set's name. template: its key in the bucket. parameters: of the stack; Release,
    Publication and Stage tell one state of the stack from every other. follows: parameters of the states from which
    the stack is brought here; in any other, somebody else has changed it."""

    purpose: str
    template: str
    parameters: Mapping[str, str]
    follows: tuple[Mapping[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class ApplyCursor:
    """change_set: id of the one that this step requested; since: id of the last event before its execution; executed:
    whether it was executed. rollbacks: how often a rollback of the stack was continued."""

    change_set: str = ""
    since: str = ""
    executed: bool = False
    rollbacks: int = 0


def must_find(aws: Aws) -> Stack:
    """The stack. Raises PhaseFailed (StackMissing)."""
    stack = aws.stacks.find(STACK)
    if stack is None:
        raise PhaseFailed(
            f"stack {STACK} does not exist",
            code="StackMissing",
            remedy="Run python3 bootstrap.py up.",
        )
    return stack


def is_at(stack: Stack, parameters: Mapping[str, str]) -> bool:
    """Whether the stack has reached, or has never left, the state of these parameters, and nothing runs on it."""
    return _is_of(stack, parameters) and state.is_settled(stack.status)


def is_foreign(stack: Stack, *states: Mapping[str, str]) -> bool:
    """Whether the stack is in none of these states, by their parameters: somebody else has changed it."""
    return not any(_is_of(stack, parameters) for parameters in states)


def _is_of(stack: Stack, parameters: Mapping[str, str]) -> bool:
    return all(stack.parameters.get(name, "") == parameters.get(name, "") for name in _WHAT_MAKES_A_STATE)


def settled(request: Request, aws: Aws) -> Stack | Result[Never]:
    """The stack once no operation runs on it; a rollback that got stuck is continued, twice at most.

    Raises PhaseFailed: StackTimeout after an hour, StackNeedsHands in a state that takes no change set.
    """
    stack, cursor = must_find(aws), request.cursor_as(ApplyCursor)
    if request.elapsed_s > TIMEOUT_S:
        raise _stuck(stack, "StackTimeout", f"the operation has not ended within {TIMEOUT_S // 60} minutes")
    move = state.next_move(stack.status)
    if move is Move.UPDATE:
        return stack
    if move is Move.CONTINUE_ROLLBACK and cursor.rollbacks < 2:
        aws.stacks.continue_rollback(STACK, f"{request.deployment_id}-{cursor.rollbacks}", role_arn="")
        cursor = replace(cursor, rollbacks=cursor.rollbacks + 1)
    elif move is not Move.WAIT:
        raise _stuck(stack, "StackNeedsHands", f"it is in {stack.status}")
    return request.wait(f"{STACK} is in {stack.status}", step=stack.status, cursor=cursor)


def _stuck(stack: Stack, code: str, why: str) -> PhaseFailed:
    return PhaseFailed(
        f"stack {stack.name}: {why}",
        code=code,
        remedy="See the stack's events in the CloudFormation console; then run bootstrap.py up again.",
    )


def propose(wanted: Wanted, request: Request, aws: Aws) -> ChangeSet | Result[Never]:
    """The change set once CloudFormation has made it; one that changes nothing has no changes.

    Raises PhaseFailed (ChangeSetRefused) with CloudFormation's reason.
    """
    cursor = request.cursor_as(ApplyCursor)
    change_set = _requested(cursor, wanted, request, aws)
    if change_set is None:
        return request.wait("An earlier change set is in the way", step="change set of another", cursor=cursor)
    cursor = replace(cursor, change_set=change_set.id)
    if change_set.status == "FAILED":
        if state.is_empty(change_set.status, change_set.reason):
            return change_set
        raise PhaseFailed(
            f"CloudFormation refuses the change set: {change_set.reason}",
            code="ChangeSetRefused",
            remedy="Correct what the reason names, in the release or in the account, and upgrade again.",
        )
    if change_set.status != "CREATE_COMPLETE":
        return request.wait("CloudFormation prepares the change set", step="change set", cursor=cursor)
    return change_set


def _requested(cursor: ApplyCursor, wanted: Wanted, request: Request, aws: Aws) -> ChangeSet | None:
    if cursor.change_set:
        try:
            return aws.stacks.change_set(STACK, cursor.change_set)
        except NotFound:
            pass  # executed and gone, or deleted by someone: the stack's state has shown that it is wanted still
    for left in aws.stacks.change_sets(STACK):
        if left.name.startswith(PREFIX) and left.status not in ("CREATE_PENDING", "CREATE_IN_PROGRESS"):
            aws.stacks.delete_change_set(STACK, left.name)
    try:
        return aws.stacks.create_change_set(
            STACK,
            f"{PREFIX}{wanted.purpose}-{request.deployment_id}",
            template=None,
            template_url=aws.settings.object_url(wanted.template),
            parameters=wanted.parameters,
            tags={**must_find(aws).tags, **TAGS},
            creates=False,
        )
    except Conflict:
        return None


def bring(wanted: Wanted, request: Request, aws: Aws) -> Stack | Result[Never]:
    """The stack once it is as wanted; until then what to answer. A call that died half-way is made up for: the stack's
    own parameters say which state it has reached.

    Raises PhaseFailed: StackFailed with the first cause when CloudFormation rolled the change back, StackMoved when
    somebody else has changed the stack, and what `settled` and `propose` raise.
    """
    stack = settled(request, aws)
    if isinstance(stack, Result) or is_at(stack, wanted.parameters):
        return stack
    cursor = request.cursor_as(ApplyCursor)
    if is_foreign(stack, *wanted.follows):
        raise _moved(stack)
    if cursor.executed:
        raise _failed(stack, cursor, aws)
    change_set = propose(wanted, request, aws)
    if isinstance(change_set, Result):
        return change_set
    events = aws.stacks.events(stack.id)
    aws.stacks.execute(STACK, change_set.id, f"{wanted.purpose}-{request.deployment_id}")
    cursor = replace(cursor, change_set=change_set.id, executed=True, since=events[-1].id if events else "")
    return request.wait(f"{len(change_set.changes)} changes begin", step="execution", cursor=cursor)


def _moved(stack: Stack) -> PhaseFailed:
    release = stack.parameters.get("Release", "none")
    return PhaseFailed(
        f"somebody else has changed stack {stack.name} during the upgrade: it has release {release} now",
        code="StackMoved",
        remedy="What they installed stays. Upgrade again when nobody else does.",
    )


def _failed(stack: Stack, cursor: ApplyCursor, aws: Aws) -> PhaseFailed:
    cause = failure.root_cause(aws.stacks.events(stack.id, after=cursor.since))
    return PhaseFailed(
        f"stack {stack.name} ended in {stack.status}: {cause or stack.reason or 'no reason given'}",
        code="StackFailed",
        field=cause.logical_id if cause else None,
        remedy="CloudFormation has restored the earlier state. Correct what the reason names and upgrade again.",
    )
