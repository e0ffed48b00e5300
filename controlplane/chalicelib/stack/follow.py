"""Follows a stack operation, resource by resource, until it ends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from chalicelib.domain.aws.stacks import Stack, StackEvent
from chalicelib.domain.errors import PhaseFailed
from chalicelib.domain.evidence.stack import StackEvidence
from chalicelib.domain.words import counted
from chalicelib.engine.phase import Request, Result
from chalicelib.ports import Aws

from . import failure, look, state, urls
from .cursor import StackCursor


def follow(request: Request, aws: Aws) -> Result[StackEvidence]:
    """Read the events since the last call; IN_PROGRESS until the operation ends.

    Raises PhaseFailed (StackFailed) with the root cause when the stack did not reach its new state.
    """
    cursor = request.cursor_as(StackCursor)
    events = aws.stacks.events(cursor.stack_id, after=cursor.last)
    resources = {**cursor.resources, **_statuses(events)}
    # By id: a failed creation deletes the stack, and a deleted stack is not found by its name.
    stack = look.must_find(cursor.stack_id, aws)
    # A read right after the execution of a change set may still see the stack under review.
    if state.in_progress(stack.status) or stack.status == state.UNDER_REVIEW:
        finished = sum(status.endswith("_COMPLETE") for status in resources.values())
        return request.wait(
            f"{stack.status}: {finished} of {counted(len(cursor.changes), 'resource')} done",
            step="stack operation",
            cursor=replace(cursor, resources=resources, last=events[-1].id if events else cursor.last),
            evidence=StackEvidence(resources=resources, changes=cursor.changes),
        )
    if not state.succeeded(stack.status):
        raise _failed(stack, aws.stacks.events(cursor.stack_id, after=cursor.since), resources)
    summary = f"Changed {counted(len(cursor.changes), 'resource')}; the stack is in {stack.status}"
    changed = StackEvidence(resources=resources, changes=cursor.changes, repaired=cursor.repaired)
    return finish(cursor, stack, summary, aws, changed)


def _statuses(events: Sequence[StackEvent]) -> dict[str, str]:
    return {event.logical_id: event.status for event in events if event.resource_type != failure.STACK}


def _failed(stack: Stack, events: Sequence[StackEvent], resources: Mapping[str, str]) -> PhaseFailed:
    cause = failure.root_cause(events)
    return PhaseFailed(
        f"stack {stack.name} ended in {stack.status}: {cause or stack.reason or 'no reason given'}",
        code="StackFailed",
        field=cause.logical_id if cause else None,
        remedy="Correct what the reason names and deploy again. CloudFormation has restored the stack's earlier state.",
        evidence={
            "stack_id": stack.id,
            "status": stack.status,
            "cause": str(cause or ""),
            "resources": dict(resources),
        },
    )


def finish(cursor: StackCursor, stack: Stack, summary: str, aws: Aws, changed: StackEvidence) -> Result[StackEvidence]:
    """The result of a finished change, with a description of the stack; IN_PROGRESS after an update that brought back
    something, since the candidate's change follows.

    changed: evidence of the change itself; the fields about the stack are filled in here.
    """
    if cursor.rebuilds:
        return Result.in_progress(
            f"{summary}; one more change follows",
            poll_after_s=1,
            cursor=StackCursor(repaired=changed.repaired, rebuilt=cursor.rebuilt + 1),
            evidence=changed,
        )
    endpoint = aws.settings.endpoint_url
    evidence = replace(
        changed,
        stack_id=stack.id,
        status=stack.status,
        updated_at=stack.updated_at,
        outputs=dict(stack.outputs),
        api_url=urls.api_url(stack.outputs, endpoint),
        base_url=urls.base_url(stack.outputs, endpoint),
        protected=stack.protected,
    )
    return Result.done(summary, evidence)
