"""Time as the control plane records it: ISO 8601 in UTC. The clock is an input everywhere."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

TIME_LIMIT_H = 24 * 366  # the longest time limit of an environment
# How long the records of a deployment and its report stay: a year, and what is needed to compare with it. An execution
# lasts a year at most, so that nothing expires while its deployment runs.
RECORD_DAYS = 400

Clock = Callable[[], datetime]
"""A source of the current time, UTC with time zone."""


def stamp(moment: datetime) -> str:
    """ISO 8601 with milliseconds, as all records store it."""
    return moment.isoformat(timespec="milliseconds")
