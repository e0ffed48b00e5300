"""What release_code notes between two calls."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ReleaseCursor:
    """unhealthy_since: seconds after the phase began when the candidate first answered wrongly; None before that."""

    unhealthy_since: float | None = None
