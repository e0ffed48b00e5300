"""The four DORA figures of an environment, from its own history. https://dora.dev/guides/dora-metrics-four-keys/

What counts here: a *change* is a deploy that gave users another version. A change *failed* when it did not end well, or
when the next thing that happened was a rollback. Users are *without service as it should be* from a revalidation that
ended badly, or a change that failed after users had it, until the next good end of anything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Any


@dataclass(frozen=True, slots=True)
class Dora:
    """Figures over `days`; None where there is nothing to compute one from.

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


def dora(history: Sequence[Mapping[str, Any]], now: datetime, days: int = 30) -> Dora:
    """`history` is newest first, as records keep it."""
    since = now - timedelta(days=days)
    told = [entry for entry in reversed(history) if _at(entry["at"]) >= since]
    tried = [place for place, entry in enumerate(told) if _is_change(entry)]
    failed = [place for place in tried if _failed(told, place)]
    good = [told[place] for place in tried if told[place]["outcome"] == "SUCCEEDED"]
    lead = [
        (_at(entry["at"]) - _at(entry["requested_at"])).total_seconds() for entry in good if "requested_at" in entry
    ]
    restored = _restorations(told)
    return Dora(
        days=days,
        changes=len(tried),
        failed=len(failed),
        deployments_per_day=round(len(good) / days, 3),
        lead_time_s=median(lead) if lead else None,
        change_failure_rate=round(len(failed) / len(tried), 4) if tried else None,
        time_to_restore_s=median(restored) if restored else None,
    )


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _is_change(entry: Mapping[str, Any]) -> bool:
    """A deploy that was to change something. One that found nothing to change, or was aborted, is none."""
    return entry["action"] == "deploy" and entry["outcome"] != "ABORTED" and bool(entry.get("changed", True))


def _failed(told: Sequence[Mapping[str, Any]], place: int) -> bool:
    following = told[place + 1] if place + 1 < len(told) else None
    taken_back = following is not None and following["action"] == "rollback"
    return told[place]["outcome"] != "SUCCEEDED" or taken_back


def _restorations(told: Sequence[Mapping[str, Any]]) -> list[float]:
    """Seconds from each failure that users could see to the next good end."""
    found: list[float] = []
    since: datetime | None = None
    for entry in told:
        if entry["outcome"] == "SUCCEEDED":
            if since:
                found.append((_at(entry["at"]) - since).total_seconds())
            since = None
        elif since is None and (entry["action"] == "revalidate" or entry.get("users_saw_it")):
            since = _at(entry["at"])
    return found
