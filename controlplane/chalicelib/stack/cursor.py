"""Progress of a stack change, stored between two calls of a phase."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Literal


@dataclass(frozen=True, slots=True)
class StackCursor:
    """step: "" before the change set, `changing` while CloudFormation prepares it, `executing` after its execution.

    creates: whether the change set creates the stack. since, last: ids of the last event before the execution and of
    the last one that was read. resources: last status by logical id; changes: one line for each change.
    repaired: see StackEvidence. attempts: how often the stack was deleted or its rollback continued; attempted_in: the
    stack's status then.
    """

    step: Literal["", "changing", "executing"] = ""
    creates: bool = False
    stack_id: str = ""
    since: str = ""
    last: str = ""
    resources: Mapping[str, str] = field(default_factory=dict)
    changes: tuple[str, ...] = ()
    repaired: tuple[str, ...] | None = None
    attempts: int = 0
    attempted_in: str = ""


@dataclass(frozen=True, slots=True)
class SettingsCursor(StackCursor):
    """A change of what users feel in the stack (`converge`). differs: (value before, value wanted) by name.

    restored: a line for each resource that had been deleted or changed underneath and was made again.
    """

    differs: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    restored: tuple[str, ...] = ()


def extend(cursor: object, differs: Mapping[str, tuple[str, str]], restored: tuple[str, ...]) -> SettingsCursor:
    """The cursor of the stack's change, with `differs` once it has begun; anything but a StackCursor counts as an empty
    one."""
    stack = cursor if isinstance(cursor, StackCursor) else StackCursor()
    own = {item.name: getattr(stack, item.name) for item in fields(StackCursor)}
    return SettingsCursor(**own, differs=differs if stack.step else {}, restored=restored)
