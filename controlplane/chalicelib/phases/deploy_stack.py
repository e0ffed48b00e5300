"""Phase 4: brings the environment's CloudFormation stack to its template, by change sets, resource by resource.

One call does one step and answers; what it waits for is in the cursor. Whatever a call finds, also after a crash, it
decides from the stack's state (core/stack_state.py). Code is not this phase's matter: release_code updates that.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..core import stack_state
from ..core.contract import Request, Result
from ..core.fingerprints import fingerprint as fingerprint_of
from ..core.naming import Names
from ..core.polling import next_poll_s
from ..core.stack_state import Move
from ..errors import NotFound, PhaseFailed
from ..ports import Aws
from ..ports.stacks import Change, ChangeSet
from ..stacking import follow, inputs, settle

_PATIENCE_S = 60 * 60
_NOW_WAIT = (Move.WAIT, Move.DELETE, Move.CONTINUE_ROLLBACK)


def fingerprint(request: Request, aws: Aws) -> str:
    """Template, parameters, tags and protection; and that the stack stands."""
    names = Names(request.environment.name)
    stack = aws.stacks.find(names.stack)
    stands = stack is not None and stack_state.next_move(stack.status) is Move.UPDATE
    return fingerprint_of(
        inputs.text(request, aws),
        inputs.parameters(request, aws, creates=False),
        names.tags,
        request.config.protected,
        stack.id if stack and stands else "",
    )


def run(request: Request, aws: Aws) -> Result:
    if request.elapsed_s > _PATIENCE_S:
        raise PhaseFailed(
            f"the stack has not come to rest within {_PATIENCE_S // 60} minutes",
            code="StackTimeout",
            remedy="Look at its events in the CloudFormation console; deploy again when it has settled.",
            evidence={"resources": dict(request.cursor.get("resources", {}))},
        )
    step = request.cursor.get("step")
    if step == "executing":
        return follow.follow(request, aws)
    if step == "changing":
        return _after_change_set(request, aws)
    return _begin(request, aws)


def _begin(request: Request, aws: Aws) -> Result:
    """Look at the stack, and do what its state asks for first."""
    names = Names(request.environment.name)
    stack = aws.stacks.find(names.stack)
    move = stack_state.next_move(stack.status if stack else None)
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
    settle.refuse_mode_switch(stack, request, aws)
    left = settle.drop_leftovers(request, aws)
    wanted = inputs.parameters(request, aws, creates=creates)
    change_set = aws.stacks.create_change_set(
        names.stack,
        inputs.change_set_name(request),
        template=inputs.text(request, aws),
        parameters=wanted,
        tags=names.tags,
        creates=creates,
    )
    return _judge(change_set, creates, request, aws, {"removed_change_sets": left} if left else {})


def _after_change_set(request: Request, aws: Aws) -> Result:
    stack = Names(request.environment.name).stack
    try:
        change_set = aws.stacks.change_set(stack, inputs.change_set_name(request))
    except NotFound:
        return _begin(request, aws)  # executed already, and gone with it: the stack tells what came of it
    return _judge(change_set, bool(request.cursor.get("creates")), request, aws, {})


def _judge(change_set: ChangeSet, creates: bool, request: Request, aws: Aws, more: Mapping[str, Any]) -> Result:
    """A change set is made, being made, empty, refused, or executed."""
    names = Names(request.environment.name)
    if change_set.status in ("CREATE_PENDING", "CREATE_IN_PROGRESS"):
        asked = int(request.cursor.get("asked", 0))
        return Result.in_progress(
            "CloudFormation is working out what would change",
            poll_after_s=next_poll_s(asked),
            cursor={"step": "changing", "creates": creates, "asked": asked + 1},
            **more,
        )
    if stack_state.is_empty(change_set.status, change_set.reason):
        aws.stacks.delete_change_set(names.stack, change_set.name)
        stack = inputs.must_find(names.stack, aws)
        return follow.ended(
            stack, "Nothing to change: the stack is as its template says", {}, request, aws, changes=[], **more
        )
    if change_set.status == "FAILED":
        aws.stacks.delete_change_set(names.stack, change_set.name)
        raise PhaseFailed(
            f"CloudFormation refused the change set: {change_set.reason}",
            code="ChangeSetFailed",
            remedy="Correct what the reason names, in config or in proxy/template.yaml.",
        )
    if change_set.execution == "AVAILABLE":
        _refuse_losses(change_set, request, aws)
        before = inputs.last_event(names.stack, aws)
        aws.stacks.execute(names.stack, change_set.name, inputs.token(request, "execute"))
    else:
        before = ""
    stack_id = inputs.must_find(names.stack, aws).id
    return Result.in_progress(
        f"Changing {len(change_set.changes)} resources",
        poll_after_s=1,
        cursor={
            "step": "executing",
            "stack_id": stack_id,
            "since": before,
            "last": before,
            "resources": {},
            "changes": [_told(change) for change in change_set.changes],
        },
        changes=[_told(change) for change in change_set.changes],
        **more,
    )


def _told(change: Change) -> str:
    text = f"{change.action} {change.logical_id} ({change.resource_type})"
    if change.action == "Modify":
        text += f": {', '.join(change.because)}"
    return text + (", replaced" if change.action == "Modify" and stack_state.is_lost(change) else "")


def _refuse_losses(change_set: ChangeSet, request: Request, aws: Aws) -> None:
    lost = stack_state.losses(change_set.changes)
    if not lost or request.options.allow_replacement:
        return
    aws.stacks.delete_change_set(Names(request.environment.name).stack, change_set.name)
    raise PhaseFailed(
        "this deployment " + "; ".join(map(str, lost)),
        code="ReplacementRefused",
        field="options.allow_replacement",
        remedy="If that is what you want, deploy with options.allow_replacement.",
        evidence={"losses": [str(loss) for loss in lost]},
    )
