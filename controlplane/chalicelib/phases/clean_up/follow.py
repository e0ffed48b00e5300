"""Removes an environment step by step: refuses a protected one, deletes the stack, then everything outside of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

from chalicelib.artifacts.assembly import is_artifact_key
from chalicelib.domain.aws.stacks import Stack
from chalicelib.domain.errors import PhaseFailed
from chalicelib.domain.evidence.clean_up import CleanUpEvidence
from chalicelib.domain.words import counted
from chalicelib.engine.phase import Request, Result
from chalicelib.ports import Aws
from chalicelib.stack import failure, state

from . import remove, search
from .cursor import RemovalCursor

_TIMEOUT_S = 45 * 60
_ATTEMPTS = 2  # deletions of the stack
# Lambda writes its last log lines late, and creates a deleted log group again. Seconds until they have arrived.
_LATE_LINES_S, _LATE_LINES_EMBEDDED_S = 60, 2


def begin(request: Request, aws: Aws) -> Result[CleanUpEvidence]:
    """Count what there is, delete what watches the stack, and start to delete the stack.

    Raises PhaseFailed before anything is deleted: Protected, or ForeignObjects under the environment's prefix.
    RemovalTimeout when another operation runs on the stack for more than 45 minutes.
    """
    names = request.names
    stack = aws.stacks.find(names.stack)
    _refuse_protected(request, stack)
    _refuse_foreign_objects(request, aws)
    counts = Counter(item.kind for item in search.by_name(names, aws))
    remove.watchers(names, aws)
    if stack is None:
        return _remove_rest(request, aws, counts)
    if state.in_progress(stack.status) and stack.status != "DELETE_IN_PROGRESS":
        return _wait(request, f"Waiting for another operation on stack {stack.name} ({stack.status})", RemovalCursor())
    for change_set in aws.stacks.change_sets(names.stack):
        aws.stacks.delete_change_set(names.stack, change_set.name)
    return _delete(stack, request, aws, RemovalCursor("deleting", stack.id, counts=counts))


def follow(request: Request, aws: Aws) -> Result[CleanUpEvidence]:
    """Follow the stack's deletion; when it has ended, delete everything outside of the stack.

    Raises PhaseFailed: StackDeleteFailed with the root cause after two attempts, RemovalTimeout after 45 minutes.
    """
    cursor = request.cursor_as(RemovalCursor)
    stack = aws.stacks.find(cursor.stack_id)
    if stack is None or stack.status == "DELETE_COMPLETE":
        return _remove_rest(request, aws, cursor.counts)
    if stack.status != "DELETE_FAILED":
        return _wait(request, f"Stack {stack.name} is in {stack.status}", cursor)
    if cursor.attempts >= _ATTEMPTS:
        raise _failed(stack, aws)
    return _delete(stack, request, aws, cursor)


def _delete(stack: Stack, request: Request, aws: Aws, cursor: RemovalCursor) -> Result[CleanUpEvidence]:
    token = f"{request.deployment_id}-remove-{cursor.attempts}"
    aws.stacks.delete(stack.name, token, role_arn=aws.settings.stacks_role_arn)
    again = " again" if cursor.attempts else ""
    return _wait(request, f"Deleting stack {stack.name}{again}", replace(cursor, attempts=cursor.attempts + 1))


def _wait(request: Request, summary: str, cursor: RemovalCursor) -> Result[CleanUpEvidence]:
    if request.elapsed_s > _TIMEOUT_S:
        raise PhaseFailed(
            f"{summary}, for {request.elapsed_s / 60:.0f} minutes",
            code="RemovalTimeout",
            remedy="Look at the stack's events in the CloudFormation console, then clean up again.",
        )
    return request.wait(summary, step="stack", cursor=cursor)


def _failed(stack: Stack, aws: Aws) -> PhaseFailed:
    cause = failure.root_cause(list(aws.stacks.events(stack.id))[-50:])
    return PhaseFailed(
        f"stack {stack.name} could not be deleted: {cause or stack.reason}",
        code="StackDeleteFailed",
        field=cause.logical_id if cause else None,
        remedy="Remove what blocks the named resource, then clean up again.",
        evidence={"stack_id": stack.id, "status": stack.status},
    )


def _refuse_protected(request: Request, stack: Stack | None) -> None:
    live = request.environment.live
    recorded = bool(live and live.config.get("protected"))
    if recorded or (stack is not None and stack.protected):
        raise PhaseFailed(
            f"environment {request.environment.name} is protected against deletion",
            code="Protected",
            field="config.protected",
            remedy="Deploy it with config.protected false first, then clean up.",
        )


def _refuse_foreign_objects(request: Request, aws: Aws) -> None:
    """Someone may have stored other files under the prefix: only package_artifact's are deleted."""
    prefix = request.names.artifacts_prefix
    objects = [(bucket, key) for bucket, key in search.objects(request.names, aws) if _is_foreign(key, prefix)]
    foreign = [key for _, key in objects]
    if foreign:
        raise PhaseFailed(
            f"{prefix} has {counted(len(foreign), 'object')} of others: {', '.join(foreign[:5])}",
            code="ForeignObjects",
            remedy=f"Move them away (aws s3 ls s3://{objects[0][0]}/{prefix}), then clean up.",
            evidence=CleanUpEvidence(foreign=tuple(foreign[:100])),
        )


def _is_foreign(key: str, prefix: str) -> bool:
    return key.startswith(prefix) and not is_artifact_key(key)


def _remove_rest(request: Request, aws: Aws, counts: Mapping[str, int]) -> Result[CleanUpEvidence]:
    remove.objects(request.names, aws)
    remove.log_groups(request.names, aws)
    secret = remove.secrets(request.names, request.options, aws)
    pause_s = _LATE_LINES_EMBEDDED_S if aws.settings.embedded else _LATE_LINES_S
    return Result.in_progress(
        f"Everything is deleted; searching for leftovers in {pause_s} s, when late log lines have arrived",
        poll_after_s=pause_s,
        cursor=RemovalCursor("verifying", counts=counts, secret=secret, verify_from_s=request.elapsed_s + pause_s),
    )
