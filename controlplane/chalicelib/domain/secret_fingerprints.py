"""What may be shown of a secret's document: the names of its fields, and a fingerprint of each value. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

_LENGTH = 12  # hex digits


def fingerprints(document: Mapping[str, object]) -> dict[str, str]:
    """By field, the first 12 hex digits of the SHA-256 of its value: of a text as it is, of all else as compact JSON
    with sorted keys. `printf %s "$KEY" | sha256sum` shows whether a key is the stored one."""
    return {name: _fingerprint(value) for name, value in sorted(document.items())}


def _fingerprint(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:_LENGTH]


def changed_fields(before: Mapping[str, object], after: Mapping[str, object]) -> tuple[str, ...]:
    """The names of the fields whose values differ, sorted."""
    return tuple(sorted(name for name in {*before, *after} if before.get(name) != after.get(name)))
