"""The four DORA figures of an environment, from its own history. https://dora.dev/guides/dora-metrics-four-keys/

What counts here: a *change* is a deploy that released another version; one that was refused or failed before that (its
plan had changed, its stack was broken) is none. A change *failed* when it went back: by itself, or by the rollback that
came next. Users are *without service as it should be* from a revalidation that ended badly, a change that failed after
users had it, or one that somebody then took back, until the next good deploy, rollback or revalidation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Any

DAYS = 30
_TELLING = ("deploy", "rollback", "revalidate")  # what says something of what users have


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


def dora(history: Sequence[Mapping[str, Any]], now: datetime, days: int = DAYS) -> Dora:
    """`history` is newest first, as records keep it."""
    since = now - timedelta(days=days)
    told = [entry for entry in reversed(history) if _at(entry["at"]) >= since]
    told = [entry for entry in told if entry["action"] in _TELLING]
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
    if entry["action"] != "deploy":
        return False
    if entry["outcome"] == "SUCCEEDED":
        return bool(entry.get("changed", True))
    return entry["outcome"] == "ROLLED_BACK" or bool(entry.get("users_saw_it"))


def _failed(told: Sequence[Mapping[str, Any]], place: int) -> bool:
    return told[place]["outcome"] != "SUCCEEDED" or _taken_back(told, place)


def _taken_back(told: Sequence[Mapping[str, Any]], place: int) -> bool:
    """Whether the change in this place is one that the next successful thing but checks took back."""
    after = (
        entry for entry in told[place + 1 :] if entry["action"] != "revalidate" and entry["outcome"] == "SUCCEEDED"
    )
    following = next((entry for entry in after if entry["action"] == "rollback" or _is_change(entry)), None)
    return _is_change(told[place]) and following is not None and following["action"] == "rollback"


def _restorations(told: Sequence[Mapping[str, Any]]) -> list[float]:
    """Seconds from each failure that users could see to the next good end."""
    found: list[float] = []
    since: datetime | None = None
    taken_back = False
    for place, entry in enumerate(told):
        if entry["outcome"] == "SUCCEEDED":
            if since and (entry["action"] == "rollback" or not taken_back):
                found.append((_at(entry["at"]) - since).total_seconds())
                since, taken_back = None, False
            if _taken_back(told, place):
                # A person saw what no check did, so that no check in between says that all was well.
                since, taken_back = _at(entry["at"]), True
        elif since is None and (entry["action"] == "revalidate" or entry.get("users_saw_it")):
            since = _at(entry["at"])
    return found
