"""Phase 4: brings the environment's CloudFormation stack to its template, by change sets, resource by resource.

One call does one step and answers; what it waits for is in the cursor. Whatever a call finds, also after a crash, it
decides from the stack's state (stack/state.py). Code is not this phase's matter: release_code updates that.
"""

from __future__ import annotations

from chalicelib.domain.errors import NotFound, PhaseFailed
from chalicelib.domain.evidence.stack import StackEvidence
from chalicelib.engine.fingerprints import fingerprint as fingerprint_of
from chalicelib.engine.phase import Definition, Request, Result
from chalicelib.ports import Aws
from chalicelib.stack import follow, inputs, settle, state, template
from chalicelib.stack.change_set import advance
from chalicelib.stack.cursor import StackCursor
from chalicelib.stack.state import Move

_PATIENCE_S = 60 * 60
_NOW_WAIT = (Move.WAIT, Move.DELETE, Move.CONTINUE_ROLLBACK)


def fingerprint(request: Request, aws: Aws) -> str:
    """Template, parameters, tags and protection; and that the stack stands."""
    names = request.names
    stack = aws.stacks.find(names.stack)
    parameters = inputs.parameters(request, aws, creates=False)
    stands = stack is not None and state.next_move(stack.status) is Move.UPDATE
    return fingerprint_of(
        inputs.text(request, aws),
        {name: value for name, value in parameters.items() if name not in template.IN_USE},
        names.tags,
        request.config.protected,
        stack.id if stack and stands else "",
    )


def run(request: Request, aws: Aws) -> Result[StackEvidence]:
    if request.elapsed_s > _PATIENCE_S:
        raise PhaseFailed(
            f"the stack has not come to rest within {_PATIENCE_S // 60} minutes",
            code="StackTimeout",
            remedy="Look at its events in the CloudFormation console; deploy again when it has settled.",
            evidence=StackEvidence(resources=request.cursor_as(StackCursor).resources),
        )
    step = request.cursor_as(StackCursor).step
    if step == "executing":
        return follow.follow(request, aws)
    if step == "changing":
        return _after_change_set(request, aws)
    return _begin(request, aws)


def _begin(request: Request, aws: Aws) -> Result[StackEvidence]:
    """Look at the stack, and do what its state asks for first."""
    names = request.names
    stack = aws.stacks.find(names.stack)
    move = state.next_move(stack.status if stack else None)
    if stack is not None and move in _NOW_WAIT:
        return settle.settle(stack, move, request, aws)
    if stack is not None and move is Move.REFUSE:
        raise PhaseFailed(
            f"stack {stack.name} is in {stack.status}: {stack.reason or 'no reason given'}",
            code="StackNeedsHands",
            remedy="Bring it to a *_COMPLETE state in the CloudFormation console, then deploy again.",
            evidence={"stack_id": stack.id, "status": stack.status},
        )
    creates = move is Move.CREATE
    if creates and request.environment.good:
        _forget_releases(request, aws)
    settle.refuse_mode_switch(stack, request, aws)
    leftovers = settle.drop_leftovers(request, aws)
    wanted = inputs.parameters(request, aws, creates=creates)
    change_set = aws.stacks.create_change_set(
        names.stack,
        inputs.change_set_name(request),
        template=inputs.text(request, aws),
        parameters=wanted,
        tags=names.tags,
        creates=creates,
    )
    return advance(change_set, creates, request, aws, StackEvidence(removed_change_sets=leftovers or None))


def _forget_releases(request: Request, aws: Aws) -> None:
    """A function that is made anew numbers its versions anew: what is on record of the old one names others now, and a
    rollback to it would give users what nobody has checked."""
    gone = {"live": None, "last_good": None, "previous": None, "releases": None, "status": "NEVER_LIVE"}
    aws.records.update_environment(request.environment.name, gone, holder=request.deployment_id)


def _after_change_set(request: Request, aws: Aws) -> Result[StackEvidence]:
    stack = request.names.stack
    try:
        change_set = aws.stacks.change_set(stack, inputs.change_set_name(request))
    except NotFound:
        return _begin(request, aws)  # executed already, and gone with it: the stack tells what came of it
    return advance(change_set, request.cursor_as(StackCursor).creates, request, aws, StackEvidence())


PHASE = Definition(run, StackEvidence, StackCursor, fingerprint)
