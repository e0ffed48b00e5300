"""Prepares a stack for a change set: waits for another operation, deletes a broken stack, continues a rollback."""

from __future__ import annotations

from dataclasses import replace

from chalicelib.domain.aws.stacks import Stack
from chalicelib.domain.errors import PhaseFailed
from chalicelib.domain.evidence.stack import StackEvidence
from chalicelib.engine.phase import Request, Result
from chalicelib.ports import Aws

from . import failure, inputs
from .cursor import StackCursor
from .state import Move

_ATTEMPTS = 2  # deletions or continued rollbacks before the phase fails
_SUMMARIES = {
    Move.WAIT: "Waiting for another operation on stack {name} ({status})",
    Move.DELETE: "Deleting stack {name} first: it is in {status}, so its creation or deletion never finished",
    Move.CONTINUE_ROLLBACK: "Continuing the rollback of stack {name} first: it is in {status}",
}


def settle(stack: Stack, move: Move, request: Request, aws: Aws) -> Result[StackEvidence]:
    """One step towards a state in which CloudFormation accepts a change set. move: WAIT, DELETE or CONTINUE_ROLLBACK.

    Raises PhaseFailed: StackStuck when the stack stays in a state after two attempts, StackNeedsHands instead of
    deleting a stack whose environment has a live version.
    """
    cursor = request.cursor_as(StackCursor)
    if move is Move.WAIT:
        cursor = replace(cursor, attempted_in=stack.status)
    elif cursor.attempts and cursor.attempted_in == stack.status:
        raise _stuck(stack, aws)
    else:
        cursor = _attempt(stack, move, cursor, request, aws)
    return request.wait(
        _SUMMARIES[move].format(name=stack.name, status=stack.status),
        step=f"{move.value} {cursor.attempts}",
        cursor=cursor,
        evidence=StackEvidence(found=stack.status),
    )


def _attempt(stack: Stack, move: Move, cursor: StackCursor, request: Request, aws: Aws) -> StackCursor:
    if cursor.attempts >= _ATTEMPTS:
        raise _stuck(stack, aws)
    name = request.names.stack
    if move is Move.DELETE:
        _refuse_to_delete_a_live_stack(stack, request)
        token = inputs.token(request, f"delete-{cursor.attempts}")
        aws.stacks.delete(name, token, role_arn=aws.settings.stacks_role_arn)
    else:
        token = inputs.token(request, f"continue-{cursor.attempts}")
        aws.stacks.continue_rollback(name, token, role_arn=aws.settings.stacks_role_arn)
    return replace(cursor, attempts=cursor.attempts + 1, attempted_in=stack.status)


def _stuck(stack: Stack, aws: Aws) -> PhaseFailed:
    cause = failure.root_cause(list(aws.stacks.events(stack.id))[-50:])
    return PhaseFailed(
        f"stack {stack.name} stays in {stack.status}: {cause or stack.reason or 'no reason given'}",
        code="StackStuck",
        remedy="Free the named resource (or skip it in the CloudFormation console), then deploy again.",
        evidence={"stack_id": stack.id, "status": stack.status},
    )


def _refuse_to_delete_a_live_stack(stack: Stack, request: Request) -> None:
    """A clean-up that failed leaves DELETE_FAILED; the environment may have been deployed again since."""
    if stack.status == "DELETE_FAILED" and request.environment.live and not request.options.allow_replacement:
        raise PhaseFailed(
            f"stack {stack.name} is in DELETE_FAILED, and the environment has a live version",
            code="StackNeedsHands",
            field="options.allow_replacement",
            remedy="Deploy with options.allow_replacement to delete the rest of the stack and create it again.",
            evidence={"stack_id": stack.id},
        )


def refuse_mode_switch(stack: Stack | None, request: Request, aws: Aws) -> None:
    """Refuse to change the response mode while a version is live. Raises PhaseFailed (ReplacementRefused).

    The API has one mode for both aliases, and a version answers only in the mode that it was released with.
    """
    before = stack.parameters.get("ResponseMode") if stack else None
    wanted = inputs.mode(request, aws)
    if before in (None, wanted) or not request.environment.live or request.options.allow_replacement:
        return
    raise PhaseFailed(
        f"changing response_mode from {before} to {wanted} breaks the live version until the new one is live",
        code="ReplacementRefused",
        field="config.response_mode",
        remedy="Deploy with options.allow_replacement when there is little traffic, or deploy a second environment.",
    )


def wait_for_leftovers(request: Request) -> Result[StackEvidence]:
    """IN_PROGRESS while the stack has another change set that cannot be deleted yet."""
    return request.wait(
        "Waiting for a change set that an earlier call requested, to delete it",
        step="leftover change set",
        cursor=request.cursor_as(StackCursor),
    )
