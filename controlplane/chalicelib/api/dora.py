"""The four DORA metrics of an environment, from its history. https://dora.dev/guides/dora-metrics-four-keys/

A *change* is a deploy that users felt: it released another version or other settings, for however short a time; one
that was refused or failed before that is none. A change *failed* when it was rolled back, automatically or by the next
rollback. The *time to restore* runs from a failed revalidation, a change that failed after users had it, or a change
that a rollback took back later, to the next good deploy, rollback or revalidation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from chalicelib.domain.records import HistoryEntry

DAYS = 30
_DEPLOYS = ("deploy", "promote")
_RELEVANT = (*_DEPLOYS, "rollback", "revalidate")  # actions that change or check what users have


@dataclass(frozen=True, slots=True)
class Dora:
    """Metrics over `days`; None where there is no data.

    deployments_per_day; lead_time_s: median from POST to all traffic; change_failure_rate in [0, 1];
    time_to_restore_s: median from a failure that users could see to the next good end.
    """

    days: int
    changes: int
    failed: int
    deployments_per_day: float
    lead_time_s: float | None
    change_failure_rate: float | None
    time_to_restore_s: float | None


def dora(history: Sequence[HistoryEntry], now: datetime, days: int = DAYS) -> Dora:
    """history: newest first, as records return it. now: UTC."""
    since = now - timedelta(days=days)
    entries = [entry for entry in reversed(history) if entry.at and _time(entry.at) >= since]
    entries = [entry for entry in entries if entry.action in _RELEVANT]
    changes = [place for place, entry in enumerate(entries) if _is_change(entry)]
    failed = [place for place in changes if _failed(entries, place)]
    good = [entries[place] for place in changes if entries[place].outcome == "SUCCEEDED"]
    lead_times = [(_time(entry.at) - _time(entry.requested_at)).total_seconds() for entry in good if entry.requested_at]
    restored = _restorations(entries)
    return Dora(
        days=days,
        changes=len(changes),
        failed=len(failed),
        deployments_per_day=round(len(good) / days, 3),
        lead_time_s=median(lead_times) if lead_times else None,
        change_failure_rate=round(len(failed) / len(changes), 4) if changes else None,
        time_to_restore_s=median(restored) if restored else None,
    )


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _is_change(entry: HistoryEntry) -> bool:
    if entry.action not in _DEPLOYS:
        return False
    return entry.changed if entry.outcome == "SUCCEEDED" else entry.users_saw_it


def _failed(entries: Sequence[HistoryEntry], place: int) -> bool:
    return entries[place].outcome != "SUCCEEDED" or _was_rolled_back(entries, place)


def _was_rolled_back(entries: Sequence[HistoryEntry], place: int) -> bool:
    """Whether the entry is a change that the next successful deploy or rollback took back."""
    later = (entry for entry in entries[place + 1 :] if entry.action != "revalidate" and entry.outcome == "SUCCEEDED")
    following = next((entry for entry in later if entry.action == "rollback" or _is_change(entry)), None)
    return _is_change(entries[place]) and following is not None and following.action == "rollback"


def _restorations(entries: Sequence[HistoryEntry]) -> list[float]:
    """Seconds from each failure that users could see to the next good end."""
    seconds: list[float] = []
    since: datetime | None = None
    rolled_back = False
    for place, entry in enumerate(entries):
        if entry.outcome == "SUCCEEDED":
            if since and (entry.action == "rollback" or not rolled_back):
                seconds.append((_time(entry.at) - since).total_seconds())
                since, rolled_back = None, False
            if _was_rolled_back(entries, place):
                # Someone saw a fault that no check found, so a check in between does not end the outage.
                since, rolled_back = _time(entry.at), True
        elif since is None and (entry.action == "revalidate" or entry.users_saw_it):
            since = _time(entry.at)
    return seconds
