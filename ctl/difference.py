"""Two JSON objects field by field. Pure."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

ABSENT = object()


@dataclass(frozen=True, slots=True)
class Change:
    """path: `alarms.error_rate`. before, after: JSON values, or ABSENT where the field is not there."""

    path: str
    before: object
    after: object


def differences(before: Mapping[str, object], after: Mapping[str, object], under: str = "") -> list[Change]:
    """The fields that differ, in order of their paths; objects are compared field by field, lists as a whole."""
    changes: list[Change] = []
    for name in sorted({*before, *after}):
        old, new = before.get(name, ABSENT), after.get(name, ABSENT)
        path = f"{under}.{name}" if under else name
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            changes += differences(old, new, path)
        elif not _equal(old, new):
            changes.append(Change(path, old, new))
    return changes


def _equal(old: object, new: object) -> bool:
    """1 and 1.0 are the same setting; 1 and true are not."""
    return old == new and isinstance(old, bool) == isinstance(new, bool)


def shown(change: Change) -> str:
    """`memory_mb: 512 -> 1024`, `+ models.fast: …` or `- notify: …`."""
    if change.before is ABSENT:
        return f"+ {change.path}: {_text(change.after)}"
    if change.after is ABSENT:
        return f"- {change.path}: {_text(change.before)}"
    return f"~ {change.path}: {_text(change.before)} -> {_text(change.after)}"


def _text(value: object) -> str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # the API writes 50.0 where a file has 50
    return json.dumps(value, ensure_ascii=False, sort_keys=True)
