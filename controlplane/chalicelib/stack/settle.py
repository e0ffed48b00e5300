"""What a stack's state asks for before a change set can be made: waiting, deleting, continuing a rollback, a person."""

from __future__ import annotations

from chalicelib.domain.aws.stacks import Stack
from chalicelib.domain.errors import PhaseFailed
from chalicelib.domain.names import Names
from chalicelib.engine.phase import Request, Result
from chalicelib.engine.polling import next_poll_s
from chalicelib.ports import Aws

from . import inputs, state
from .state import Move

_ATTEMPTS = 2  # deletions, or continued rollbacks, before a person must look


def settle(stack: Stack, move: Move, request: Request, aws: Aws) -> Result:
    """Wait for what is happening, or start what must happen before a change set can be made."""
    names = Names(request.environment.name)
    asked, tried = int(request.cursor.get("asked", 0)), int(request.cursor.get("tried", 0))
    seen = request.cursor.get("seen", "")
    if move is not Move.WAIT and (seen != stack.status or tried == 0):
        if tried >= _ATTEMPTS:
            raise _stuck(stack, aws)
        if move is Move.DELETE:
            _refuse_deleting_the_living(stack, request)
            aws.stacks.delete(names.stack, inputs.token(request, f"delete-{tried}"))
        else:
            aws.stacks.continue_rollback(names.stack, inputs.token(request, f"continue-{tried}"))
        tried, asked, seen = tried + 1, 0, stack.status
    elif move is not Move.WAIT:
        raise _stuck(stack, aws)
    else:
        seen = stack.status
    words = {
        Move.WAIT: f"Another operation is under way on stack {stack.name} ({stack.status}); waiting for its end",
        Move.DELETE: f"Stack {stack.name} was in {stack.status}, holding nothing that works: deleting it first",
        Move.CONTINUE_ROLLBACK: f"Stack {stack.name} was in {stack.status}: continuing its rollback first",
    }
    return Result.in_progress(
        words[move],
        poll_after_s=next_poll_s(asked),
        cursor={"step": "settling", "asked": asked + 1, "tried": tried, "seen": seen},
        found=stack.status,
    )


def _stuck(stack: Stack, aws: Aws) -> PhaseFailed:
    cause = state.root_cause(list(aws.stacks.events(stack.id))[-50:])
    return PhaseFailed(
        f"stack {stack.name} stays in {stack.status}: {cause or stack.reason or 'no reason given'}",
        code="StackStuck",
        remedy="Free the named resource (or skip it in the CloudFormation console), then deploy again.",
        evidence={"stack_id": stack.id, "status": stack.status},
    )


def _refuse_deleting_the_living(stack: Stack, request: Request) -> None:
    """DELETE_FAILED may be a clean-up that stopped half way, of an environment that nobody has given up since."""
    if stack.status == "DELETE_FAILED" and request.environment.live and not request.options.allow_replacement:
        raise PhaseFailed(
            f"stack {stack.name} is in DELETE_FAILED, and the environment has a live version",
            code="StackNeedsHands",
            field="options.allow_replacement",
            remedy="Deploy with options.allow_replacement to delete what is left and make it anew.",
            evidence={"stack_id": stack.id},
        )


def refuse_mode_switch(stack: Stack | None, request: Request, aws: Aws) -> None:
    """The API speaks one mode to both aliases, and the live version the one that it was released with."""
    before = stack.parameters.get("ResponseMode") if stack else None
    wanted = inputs.mode(request, aws)
    if before in (None, wanted) or not request.environment.live or request.options.allow_replacement:
        return
    raise PhaseFailed(
        f"changing response_mode from {before} to {wanted} breaks the live version until the new one is live",
        code="ReplacementRefused",
        field="config.response_mode",
        remedy="Deploy with options.allow_replacement in a quiet hour, or deploy a second environment.",
    )


def drop_leftovers(request: Request, aws: Aws) -> list[str]:
    """Change sets of ours that a crash left behind."""
    stack = Names(request.environment.name).stack
    own = inputs.change_set_name(request)
    left = [one.name for one in aws.stacks.change_sets(stack) if one.name.startswith(inputs.OURS) and one.name != own]
    for name in left:
        aws.stacks.delete_change_set(stack, name)
    return left
