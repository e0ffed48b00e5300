"""Updates an existing stack to a template and parameters, one step a call; it never creates or deletes a stack."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from chalicelib.domain.aws.stacks import Stack
from chalicelib.domain.errors import NotFound, PhaseFailed
from chalicelib.domain.evidence.stack import StackEvidence
from chalicelib.engine.phase import Request, Result
from chalicelib.ports import Aws

from . import follow, prepare, settle, state
from .change_set import advance
from .cursor import StackCursor
from .state import Move

TIMEOUT_S = 60 * 60


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
            return advance(change_set, cursor.own, False, request, aws, StackEvidence())
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
    return advance(*requested, False, request, aws, StackEvidence())
