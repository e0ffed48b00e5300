"""Progress of apply_settings, stored between two calls."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields

from chalicelib.stack.cursor import StackCursor


@dataclass(frozen=True, slots=True)
class SettingsCursor(StackCursor):
    """A stack change, and what it changes. differs: (value before, value wanted) by name."""

    differs: Mapping[str, tuple[str, str]] = field(default_factory=dict)


def extend(cursor: object, differs: Mapping[str, tuple[str, str]]) -> SettingsCursor:
    """The cursor of the stack's change, with `differs` once it has begun; anything but a StackCursor counts as an empty
    one."""
    stack = cursor if isinstance(cursor, StackCursor) else StackCursor()
    differs = differs if stack.step else {}
    return SettingsCursor(**{item.name: getattr(stack, item.name) for item in fields(StackCursor)}, differs=differs)
