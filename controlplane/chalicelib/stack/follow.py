"""An operation on the stack, resource by resource, until it has ended well or badly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from chalicelib.domain.aws.stacks import Stack, StackEvent
from chalicelib.domain.errors import PhaseFailed
from chalicelib.engine.phase import Request, Result
from chalicelib.engine.polling import next_poll_s
from chalicelib.ports import Aws

from . import inputs, state, urls


def follow(request: Request, aws: Aws) -> Result:
    """Tell what happened since the last call, and whether it is over."""
    cursor = request.cursor
    stack_id = str(cursor["stack_id"])
    fresh = aws.stacks.events(stack_id, after=str(cursor["last"]))
    resources = {**cursor["resources"], **_by_resource(fresh)}
    # By ID: a creation that failed has deleted the stack, and its name finds nothing any more.
    stack = inputs.must_find(stack_id, aws)
    if state.in_progress(stack.status):
        asked = int(cursor.get("asked", 0))
        finished = sum(status.endswith("_COMPLETE") for status in resources.values())
        return Result.in_progress(
            f"{stack.status}: {finished} of {len(cursor['changes'])} resources done",
            poll_after_s=next_poll_s(asked),
            cursor={
                **cursor,
                "asked": asked + 1,
                "resources": resources,
                "last": fresh[-1].id if fresh else cursor["last"],
            },
            resources=resources,
            changes=cursor["changes"],
        )
    if not state.succeeded(stack.status):
        raise _failed(stack, aws.stacks.events(stack_id, after=str(cursor["since"])), resources)
    count = len(cursor["changes"])
    words = f"{count} resource{'s' * (count != 1)} changed, stack is in {stack.status}"
    return ended(stack, words, resources, request, aws, changes=cursor["changes"])


def _by_resource(events: Sequence[StackEvent]) -> dict[str, str]:
    return {event.logical_id: event.status for event in events if event.resource_type != "AWS::CloudFormation::Stack"}


def _failed(stack: Stack, events: Sequence[StackEvent], resources: Mapping[str, str]) -> PhaseFailed:
    cause = state.root_cause(events)
    return PhaseFailed(
        f"stack {stack.name} ended in {stack.status}: {cause or stack.reason or 'no reason given'}",
        code="StackFailed",
        field=cause.logical_id if cause else None,
        remedy="Correct what the reason names and deploy again; the stack is back where it was.",
        evidence={
            "stack_id": stack.id,
            "status": stack.status,
            "cause": str(cause or ""),
            "resources": dict(resources),
        },
    )


def ended(stack: Stack, words: str, resources: Mapping[str, str], request: Request, aws: Aws, **more: Any) -> Result:
    if stack.protected != request.config.protected:
        aws.stacks.protect(stack.name, request.config.protected)
        words += f"; deletion protection is {'on' if request.config.protected else 'off'} now"
    endpoint = aws.settings.endpoint_url
    return Result.done(
        words,
        stack_id=stack.id,
        status=stack.status,
        updated_at=stack.updated_at,
        outputs=dict(stack.outputs),
        api_url=urls.api_url(stack.outputs, endpoint),
        base_url=urls.base_url(stack.outputs, endpoint),
        resources=dict(resources),
        protected=request.config.protected,
        **more,
    )
