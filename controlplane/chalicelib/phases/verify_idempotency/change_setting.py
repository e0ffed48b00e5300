"""Changes one variable of `$LATEST`, proves that neither code nor stack changed with it, and restores it."""

from __future__ import annotations

from dataclasses import replace

from chalicelib.domain.aws.functions import FunctionConfig, FunctionSettings
from chalicelib.domain.errors import PhaseFailed
from chalicelib.domain.evidence.release import ReleaseEvidence
from chalicelib.engine.phase import Request
from chalicelib.ports import Aws

from .cursor import IdempotencyCursor
from .proof import VARIABLE, change_problems, other_level

# Lambda's API is eventually consistent; past this an update that cannot be seen was not made.
_VISIBLE_S = 60
_REMEDY = "Deploy with options.force, which updates the function again."


def change(cursor: IdempotencyCursor, request: Request, aws: Aws) -> IdempotencyCursor:
    """Set the variable to another value. Its released value is read from the released version, because a call that
    died may have changed `$LATEST` already."""
    function = request.names.function
    latest = aws.functions.config(function)
    if latest.update_status == "InProgress":
        return cursor  # a measurement before this phase has restored its settings
    released = aws.functions.config(function, request.results.of(ReleaseEvidence).version)
    level = released.environment.get(VARIABLE, "")
    changed = other_level(level)
    _set(latest, changed, request, aws)
    return replace(
        cursor,
        step="restore",
        level=level,
        changed_level=changed,
        code_sha256=latest.code_sha256,
        stack_updated_at=_stack_updated_at(request, aws),
    )


def restore(cursor: IdempotencyCursor, request: Request, aws: Aws) -> IdempotencyCursor:
    """Check the change, then set the released value again. Raises PhaseFailed (SettingNotChangedAlone)."""
    latest = aws.functions.config(request.names.function)
    if latest.update_status == "InProgress" or _may_be_stale(latest, cursor.changed_level, request):
        return cursor
    problems = change_problems(
        latest,
        cursor.changed_level,
        code_sha256=cursor.code_sha256,
        stack_updated_at=_stack_updated_at(request, aws),
        stack_was_updated_at=cursor.stack_updated_at,
    )
    if problems:
        raise PhaseFailed(
            f"changing one setting went wrong: {'; '.join(problems)}", code="SettingNotChangedAlone", remedy=_REMEDY
        )
    _set(latest, cursor.level, request, aws)
    return replace(cursor, step="confirm")


def confirm(cursor: IdempotencyCursor, request: Request, aws: Aws) -> IdempotencyCursor:
    """Check that the released value is back. Raises PhaseFailed (SettingNotRestored)."""
    latest = aws.functions.config(request.names.function)
    if latest.update_status == "InProgress" or _may_be_stale(latest, cursor.level, request):
        return cursor
    if latest.environment.get(VARIABLE) != cursor.level:
        raise PhaseFailed(f"{VARIABLE} did not go back to {cursor.level}", code="SettingNotRestored", remedy=_REMEDY)
    return replace(cursor, step="back")


def _may_be_stale(latest: FunctionConfig, level: str, request: Request) -> bool:
    """Whether this read may be one that does not see the update yet."""
    return latest.environment.get(VARIABLE) != level and request.elapsed_s < _VISIBLE_S


def _set(latest: FunctionConfig, level: str, request: Request, aws: Aws) -> None:
    variables = {**latest.environment, VARIABLE: level}
    settings = FunctionSettings(latest.memory_mb, latest.timeout_s, variables)
    aws.functions.update_settings(request.names.function, settings)


def _stack_updated_at(request: Request, aws: Aws) -> str:
    stack = aws.stacks.find(request.names.stack)
    return stack.updated_at if stack else ""
