"""What becomes of a change set: it is waited for, empty, refused, or executed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chalicelib.domain.aws.stacks import Change, ChangeSet
from chalicelib.domain.errors import PhaseFailed
from chalicelib.domain.names import Names
from chalicelib.engine.phase import Request, Result
from chalicelib.engine.polling import next_poll_s
from chalicelib.ports import Aws

from . import follow, inputs, state


def advance(change_set: ChangeSet, creates: bool, request: Request, aws: Aws, more: Mapping[str, Any]) -> Result:
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
    if state.is_empty(change_set.status, change_set.reason):
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
    return text + (", replaced" if change.action == "Modify" and state.is_lost(change) else "")


def _refuse_losses(change_set: ChangeSet, request: Request, aws: Aws) -> None:
    lost = state.losses(change_set.changes)
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
