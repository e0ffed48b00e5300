"""Time as the control plane records it: ISO 8601 in UTC. The clock is an input everywhere."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

TIME_LIMIT_H = 24 * 366  # the longest time limit of an environment

Clock = Callable[[], datetime]
"""A source of the current time, UTC with time zone."""


def stamp(moment: datetime) -> str:
    """ISO 8601 with milliseconds, as all records store it."""
    return moment.isoformat(timespec="milliseconds")
