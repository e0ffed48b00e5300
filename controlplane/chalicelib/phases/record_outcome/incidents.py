"""When an incident of an environment opens and closes.

It is open from the first revalidation that fails to the first that passes. Emit an event only when that state changes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from chalicelib.domain.model import Action
from chalicelib.domain.records import DriftRow, Incident

from .outcome import Outcome

LONGEST_WHY = 1_000  # characters of a reason in the environment's record; the deployment has all of it
# Codes of a deployment that was stopped, which says nothing about the environment.
_STOPPED = ("Aborted", "ExecutionStopped", "LockLost")


@dataclass(frozen=True, slots=True)
class Change:
    """kind: the event, `incident.opened` or `incident.closed`; detail: its detail.

    incident: what the environment's record holds from then on, None without an open incident.
    """

    kind: str
    incident: Mapping[str, str] | None
    detail: Mapping[str, str]


def is_verdict(outcome: Outcome) -> bool:
    """Whether a revalidation's outcome judges the environment: one that was stopped does not."""
    return (outcome.error or {}).get("code") not in _STOPPED


def decides(action: Action, outcome: Outcome, *, validated: bool) -> bool:
    """Whether this ending may open or close an incident.

    validated: whether the deployment ran the checks of the endpoints. A deploy or rotation that did passes as a
    revalidation would; one that skipped them says nothing. A removed environment has no incident.
    """
    if action is Action.REVALIDATE:
        return is_verdict(outcome)
    checked = (action.deploys or action is Action.ROTATE) and validated
    return outcome.is_good and (action is Action.CLEANUP or checked)


def change(before: Mapping[str, str] | None, *, good: bool, why: str, at: str, deployment_id: str) -> Change | None:
    """None when the state does not change: still good, or still bad.

    before: the open incident, None without one. why: the summary of the outcome. at: ISO 8601.
    """
    if good == (before is None):
        return None
    if before is None:
        incident = {"opened_at": at, "opened_by": deployment_id, "why": why[:LONGEST_WHY]}
        return Change("incident.opened", incident, {"why": why})
    detail = {key: str(before[key]) for key in ("opened_at", "opened_by", "why") if key in before}
    return Change("incident.closed", None, detail)


def record(change: Change, summary: str, drift: tuple[DriftRow, ...], *, at: str, deployment_id: str) -> Incident:
    """The incident as its own record holds it. at: when the deployment ends, ISO 8601."""
    if change.incident:
        opened = change.incident
        return Incident(str(opened["opened_at"]), deployment_id, str(opened["why"]), drift)
    before = change.detail
    return Incident(
        opened_at=before.get("opened_at", ""),
        opened_by=before.get("opened_by", ""),
        why=before.get("why", ""),
        closed_at=at,
        closed_by=deployment_id,
        how=summary[:LONGEST_WHY],
    )
