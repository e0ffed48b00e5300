"""An incident is open from the first revalidation that finds an environment BAD to the first that finds it GOOD again.

Only the change is told: a night after night BAD environment rings once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .outcome import Outcome

_STOPPED = ("Aborted", "ExecutionStopped", "LockLost")


@dataclass(frozen=True, slots=True)
class Change:
    """kind: the event, `incident.opened` or `incident.closed`; incident: what the environment keeps from now on."""

    kind: str
    incident: Mapping[str, str] | None
    detail: Mapping[str, str]


def says_something(outcome: Outcome) -> bool:
    """A revalidation that was stopped is no verdict on the environment."""
    return (outcome.error or {}).get("code") not in _STOPPED


def change(before: Mapping[str, str] | None, *, good: bool, why: str, at: str, deployment_id: str) -> Change | None:
    """None when nothing changed: still good, or still bad."""
    if good == (before is None):
        return None
    if before is None:
        incident = {"opened_at": at, "opened_by": deployment_id, "why": why}
        return Change("incident.opened", incident, {"why": why})
    detail = {key: str(before[key]) for key in ("opened_at", "opened_by", "why") if key in before}
    return Change("incident.closed", None, detail)
