"""What an adapter raises for a resource that is not there."""

from __future__ import annotations

from chalicelib.domain.errors import NotFound


def gone(message: str) -> NotFound:
    """With a remedy, as `adapters/session.py` gives one."""
    return NotFound(message, remedy="It was there when the phase began. Deploy again.")
