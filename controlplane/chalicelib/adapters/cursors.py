"""Where a listing goes on, as a caller holds it: the last key that DynamoDB read, in text that fits a URL."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

from chalicelib.domain.errors import BadRequest

_LONGEST = 1_024  # bytes of a sort key


def encode(key: Mapping[str, Any] | None) -> str | None:
    return base64.urlsafe_b64encode(json.dumps(key).encode()).decode() if key else None


def decode(cursor: str | None, listed: str, value: str) -> dict[str, Any] | None:
    """Where the page before ended, in the list whose key `listed` is `value`."""
    if not cursor:
        return None
    key = _parsed(cursor)
    # Exactly the keys of the table and of the index: DynamoDB refuses any other start.
    return _checked(key, {"pk", "sk", "at", listed}, listed, value)


def decode_under(cursor: str | None, pk: str, prefix: str) -> dict[str, Any] | None:
    """Where the page before ended among the table's items under `pk` whose sort keys begin with `prefix`."""
    if not cursor:
        return None
    key = _checked(_parsed(cursor), {"pk", "sk"}, "pk", pk)
    if not str(key["sk"]["S"]).startswith(prefix):
        raise _no_cursor()
    return key


def _parsed(cursor: str) -> object:
    try:
        return json.loads(base64.urlsafe_b64decode(cursor.encode()))
    except (ValueError, RecursionError) as error:
        raise _no_cursor() from error


def _checked(key: object, names: set[str], fixed: str, value: str) -> dict[str, Any]:
    if not isinstance(key, dict) or set(key) != names or key[fixed] != {"S": value}:
        raise _no_cursor()
    if not all(_is_text(entry) for entry in key.values()):
        raise _no_cursor()
    return dict(key)


def _is_text(entry: object) -> bool:
    """Whether it is an attribute value of type string that can be part of a key."""
    if not isinstance(entry, dict) or set(entry) != {"S"} or not isinstance(entry["S"], str):
        return False
    return 0 < len(entry["S"].encode(errors="replace")) <= _LONGEST and entry["S"].isprintable()


def _no_cursor() -> BadRequest:
    return BadRequest("cursor is not one that this API gave for this list", field="cursor", remedy="Leave it out.")
