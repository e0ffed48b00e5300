"""Progress of restore_settings, stored between two calls."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields

from chalicelib.stack.cursor import StackCursor


@dataclass(frozen=True, slots=True)
class RestoreCursor(StackCursor):
    """A stack change, and what it restores. differs: (value before, value of the release) by stack parameter."""

    differs: Mapping[str, tuple[str, str]] = field(default_factory=dict)


def extend(cursor: object, differs: Mapping[str, tuple[str, str]]) -> RestoreCursor:
    """The cursor of the stack's change, with `differs` once it has begun; anything but a StackCursor counts as an empty
    one."""
    stack = cursor if isinstance(cursor, StackCursor) else StackCursor()
    differs = differs if stack.step else {}
    return RestoreCursor(**{item.name: getattr(stack, item.name) for item in fields(StackCursor)}, differs=differs)
