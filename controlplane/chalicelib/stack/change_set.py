"""Advances a change set: waits for it, ends when it is empty, refuses a destructive one, executes any other.

It executes only the change set that this execution requested (prepare.py).
"""

from __future__ import annotations

from dataclasses import replace

from chalicelib.domain.aws.stacks import Change, ChangeSet
from chalicelib.domain.errors import PhaseFailed
from chalicelib.domain.evidence.stack import StackEvidence
from chalicelib.domain.words import counted
from chalicelib.engine.phase import Request, Result
from chalicelib.ports import Aws

from . import follow, look, replacements, state
from .cursor import Own, StackCursor
from .recovery.parts import is_of

_UNFINISHED = ("CREATE_PENDING", "CREATE_IN_PROGRESS")


def advance(
    change_set: ChangeSet, cursor: StackCursor, request: Request, aws: Aws, before: StackEvidence
) -> Result[StackEvidence]:
    """The next step for a change set that is being made, empty, refused, available or executed.

    cursor: of step `changing`, with the change set that this execution requested and what it is for. before: evidence
    of what was done before it was requested. Raises PhaseFailed: ChangeSetFailed when CloudFormation refused it,
    ReplacementRefused when it would replace or remove a resource that users or records need, ForeignChangeSet when
    it is not the cursor's own.
    """
    stack = request.names.stack
    if change_set.status in _UNFINISHED:
        return request.wait(
            "CloudFormation is working out what would change",
            step="change set",
            cursor=replace(cursor, repaired=before.repaired),
            evidence=before,
        )
    if state.is_empty(change_set.status, change_set.reason):
        aws.stacks.delete_change_set(stack, change_set.name)
        unchanged = "Nothing to change: the stack matches its template"
        return follow.finish(cursor, look.must_find(stack, aws), unchanged, aws, before)
    if change_set.status == "FAILED":
        aws.stacks.delete_change_set(stack, change_set.name)
        raise PhaseFailed(
            f"CloudFormation refused the change set: {change_set.reason}",
            code="ChangeSetFailed",
            remedy="Correct what the reason names, in config or in proxy/template.yaml.",
        )
    return _execute(change_set, cursor, request, aws, before)


def _execute(
    change_set: ChangeSet, cursor: StackCursor, request: Request, aws: Aws, before: StackEvidence
) -> Result[StackEvidence]:
    stack, last = request.names.stack, ""
    if change_set.execution == "AVAILABLE":
        _refuse_foreign(change_set, cursor.own, request, aws)
        _refuse_destructive(change_set, cursor, request, aws)
        # By its id: a search by name may not see a stack yet that was made for the change set.
        last = look.last_event(change_set.stack_id, aws)
        aws.stacks.execute(stack, change_set.id, f"{change_set.name}-execute"[-128:])
    changes = tuple(_line(change) for change in change_set.changes)
    return request.wait(
        f"Changing {counted(len(changes), 'resource')}",
        step="stack operation",
        cursor=StackCursor(
            step="executing",
            stack_id=change_set.stack_id,
            since=last,
            last=last,
            changes=changes,
            repaired=before.repaired,
            rebuilds=cursor.rebuilds,
            rebuilt=cursor.rebuilt,
        ),
        evidence=replace(before, changes=changes),
    )


def _line(change: Change) -> str:
    text = f"{change.action} {change.logical_id} ({change.resource_type})"
    if change.action == "Modify":
        text += f": {', '.join(change.because)}"
    return text + (", replaced" if change.action == "Modify" and replacements.deletes_resource(change) else "")


def _refuse_foreign(change_set: ChangeSet, own: Own, request: Request, aws: Aws) -> None:
    if own.is_same(change_set):
        return
    aws.stacks.delete_change_set(request.names.stack, change_set.name)
    raise PhaseFailed(
        f"change set {change_set.name} is not the one that this deployment requested, so it was deleted",
        code="ForeignChangeSet",
        remedy="CloudTrail names who created it (CreateChangeSet). Then deploy again.",
        evidence={"change_set": change_set.id, "requested": own.id},
    )


def _refuse_destructive(change_set: ChangeSet, cursor: StackCursor, request: Request, aws: Aws) -> None:
    # What is gone already is no loss.
    remaining = [change for change in change_set.changes if not is_of(change.resource_type, cursor.removes)]
    destructive = [str(change) for change in replacements.destructive(remaining)]
    if not destructive or request.options.allow_replacement:
        return
    aws.stacks.delete_change_set(request.names.stack, change_set.name)
    raise PhaseFailed(
        "this deployment " + "; ".join(destructive),
        code="ReplacementRefused",
        field="options.allow_replacement",
        remedy="If that is what you want, deploy with options.allow_replacement.",
        evidence={"losses": destructive},
    )
