"""Pages of lists in memory, as the adapters give them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from chalicelib.domain.errors import BadRequest

T = TypeVar("T")


def page_of(entries: Sequence[T], limit: int, cursor: str | None) -> tuple[Sequence[T], str | None]:
    """Some of the entries and the cursor of the next ones."""
    if cursor and not (cursor.isascii() and cursor.isdecimal()):
        raise BadRequest("cursor is not one that a page answered", field="cursor")
    first = int(cursor or 0)
    return entries[first : first + limit], str(first + limit) if len(entries) > first + limit else None
