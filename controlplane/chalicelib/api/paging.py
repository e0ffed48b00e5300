"""How lists page: `?limit=` entries from `?cursor=` on, which the page before answered."""

from __future__ import annotations

from chalicelib.domain.errors import BadRequest

from .answers import ApiCall

PARAMETERS = ("cursor", "limit")
SIZE, LARGEST = 20, 100  # entries a page: when not asked for, and at most
_LIMIT_DIGITS = 3


def limit_of(call: ApiCall) -> int:
    """Entries a page. Raises BadRequest for a text that is no number from 1 to 100."""
    text = call.query.get("limit", str(SIZE))
    # Measured before it is read: Python refuses to read a number of 5,000 digits.
    if not (text.isascii() and text.isdecimal()) or len(text) > _LIMIT_DIGITS or not 1 <= int(text) <= LARGEST:
        raise BadRequest(f"limit {text[:20]!r} is not from 1 to {LARGEST}", field="limit", remedy="Leave it out.")
    return int(text)


def cursor_of(call: ApiCall) -> str | None:
    """Where the page begins; None for the first."""
    return call.query.get("cursor")
