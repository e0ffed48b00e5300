"""Updates an existing stack to a template and parameters, one step a call; it never creates or deletes a stack.

`converge` brings what users feel in it to a state: for apply_settings the new release's, for restore_settings that of
an earlier one. What was deleted or changed underneath is made again first: no update would see it or succeed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal, TypeVar

from chalicelib.domain.aws.stacks import Stack
from chalicelib.domain.errors import NotFound, PhaseFailed
from chalicelib.domain.evidence.stack import RestoreEvidence, SettingsEvidence, StackEvidence
from chalicelib.engine.phase import Request, Result, Status
from chalicelib.ports import Aws

from . import follow, live, look, prepare, settle, state
from .change_set import advance
from .cursor import SettingsCursor, StackCursor, extend
from .recovery import repair
from .recovery.losses import Loss
from .state import Move

TIMEOUT_S = 60 * 60
Evidence = TypeVar("Evidence", SettingsEvidence, RestoreEvidence)


@dataclass(frozen=True, slots=True)
class Update:
    """purpose: part of the change set's name. parameters: None keeps the stack's value."""

    purpose: Literal["apply", "restore"]
    text: str
    parameters: Mapping[str, str | None]


def step(update: Update, stack: Stack, request: Request, aws: Aws) -> Result[StackEvidence]:
    """The next step of the update; IN_PROGRESS until CloudFormation has finished it.

    Waits for another operation and continues a rollback first. Raises PhaseFailed: StackTimeout after an hour,
    StackNeedsHands in a state without update, and what `change_set` and `follow` raise.
    """
    if request.elapsed_s > TIMEOUT_S:
        raise PhaseFailed(
            f"the stack operation has not ended within {TIMEOUT_S // 60} minutes",
            code="StackTimeout",
            remedy="See the stack's events in the CloudFormation console.",
        )
    cursor = request.cursor_as(StackCursor)
    if cursor.step == "executing":
        return follow.follow(request, aws)
    if cursor.step == "changing" and cursor.change_set:
        try:
            change_set = aws.stacks.change_set(stack.name, cursor.change_set)
            return advance(change_set, cursor, request, aws, StackEvidence())
        except NotFound:
            pass  # An earlier call executed it and died before it stored that: the stack's state says how to go on.
    return _begin(update, stack, request, aws)


def _begin(update: Update, stack: Stack, request: Request, aws: Aws) -> Result[StackEvidence]:
    move = state.next_move(stack.status)
    if move in (Move.WAIT, Move.CONTINUE_ROLLBACK):
        return settle.settle(stack, move, request, aws)
    if move is not Move.UPDATE:
        raise PhaseFailed(
            f"stack {stack.name} is in {stack.status}",
            code="StackNeedsHands",
            remedy="Bring it to a *_COMPLETE state in the CloudFormation console.",
        )
    # Also this deployment's own of an earlier phase: a late Lambda must not execute it afterwards.
    if prepare.drop_leftovers(request, aws) is None:
        return settle.wait_for_leftovers(request)
    wanted = prepare.Wanted(update.purpose, update.text, update.parameters)
    requested = prepare.request_change_set(wanted, request, aws)
    if requested is None:
        return settle.wait_for_leftovers(request)
    change_set, own = requested
    return advance(change_set, StackCursor("changing", False, own.id, own.digest), request, aws, StackEvidence())


@dataclass(frozen=True, slots=True)
class Target:
    """purpose: part of the change set's name. text: the template.

    wanted: snapshot and parameters. protected: whether the stack shall have deletion protection.
    """

    purpose: Literal["apply", "restore"]
    text: str
    wanted: live.StackState
    protected: bool


@dataclass(frozen=True, slots=True)
class Convergence:
    """differs: (value before, value wanted) by name. restored: see SettingsCursor. stack: as it is now.

    waits: the result to hand on while CloudFormation works, with the cursor; None once all is done.
    """

    differs: live.Pairs
    restored: tuple[str, ...]
    stack: Stack
    waits: Result[StackEvidence] | None = None


def converge(target: Target, stack: Stack, request: Request, aws: Aws) -> Convergence:
    """One step: repair, update, protect. Raises what `step` raises, and to `apply` also what
    `repair.refuse_what_a_deploy_makes_again` does."""
    cursor = request.cursor_as(SettingsCursor)
    differs = cursor.differs or live.differing(stack, target.wanted, target.protected)
    losses = _losses(cursor, stack, request, aws)
    if waits := repair.wait_for_role(losses, request, cursor):
        return Convergence(differs, cursor.restored, stack, waits)
    if target.purpose == "apply":
        repair.refuse_what_a_deploy_makes_again(losses, request)  # a way back goes on with what there is
    repaired = repair.repair(losses, stack, request, aws)
    restored = (*cursor.restored, *repaired.lines)
    if cursor.step or live.needs_update(differs) or state.in_progress(stack.status) or repaired.policy:
        result = step(_update(target, repaired, request), stack, request, aws)
        if result.status is Status.IN_PROGRESS:
            waits = replace(result, cursor=extend(result.cursor, differs, restored))
            return Convergence(differs, restored, stack, waits)
        stack = look.must_find(request.names.stack, aws)
    if stack.protected != target.protected:
        aws.stacks.protect(stack.name, target.protected)
    return Convergence(differs, restored, stack)


def _losses(cursor: StackCursor, stack: Stack, request: Request, aws: Aws) -> tuple[Loss, ...]:
    """None while CloudFormation works on the stack, which may be changing the same resources."""
    if cursor.step or not state.is_settled(stack.status):
        return ()
    return repair.find_losses(stack, request, aws)


def _update(target: Target, repaired: repair.Repaired, request: Request) -> Update:
    rewritten = {"Repair": repair.mark(request)} if repaired.policy else {}
    return Update(target.purpose, target.text, {**target.wanted.parameters, **rewritten})


def in_progress(result: Result[StackEvidence], kind: type[Evidence]) -> Result[Evidence]:
    """The result of a step whose update goes on, with the evidence of the phase: `changes` and `resources` so far."""
    changed = result.evidence or StackEvidence()
    evidence = kind(changes=changed.changes or None, resources=changed.resources or None)
    return Result(result.status, result.summary, evidence, result.cursor, result.poll_after_s, waits=result.waits)
