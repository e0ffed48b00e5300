"""Where a listing goes on, as a caller holds it: the last key that DynamoDB read, in text that fits a URL."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

from chalicelib.domain.errors import BadRequest


def encode(key: Mapping[str, Any] | None) -> str | None:
    return base64.urlsafe_b64encode(json.dumps(key).encode()).decode() if key else None


def decode(cursor: str | None, listed: str, value: str) -> dict[str, Any] | None:
    """Where the page before ended, in the list whose key `listed` is `value`."""
    if not cursor:
        return None
    try:
        key = json.loads(base64.urlsafe_b64decode(cursor.encode()))
    except ValueError as error:
        raise _no_cursor() from error
    texts = isinstance(key, dict) and all(isinstance(entry, dict) and set(entry) == {"S"} for entry in key.values())
    if not texts or key.get(listed) != {"S": value}:
        raise _no_cursor()
    return dict(key)


def _no_cursor() -> BadRequest:
    return BadRequest("cursor is not one that this API gave for this list", field="cursor", remedy="Leave it out.")
