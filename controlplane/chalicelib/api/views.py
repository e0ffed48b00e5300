"""How records look to those who ask: the JSON of GET /deployments/{id} and GET /environments/{name}."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from chalicelib.domain.model import Deployment, DeploymentStatus, Environment, PhaseRecord, PhaseStatus

_DONE = (PhaseStatus.SUCCEEDED, PhaseStatus.SKIPPED)


def as_shown(deployment: Deployment) -> dict[str, Any]:
    """A deployment without its phases, as lists show it."""
    told = dataclasses.asdict(deployment)
    told["duration_s"] = _seconds(deployment.started_at, deployment.ended_at)
    told["approval"] = {key: value for key, value in deployment.approval.items() if key != "token"}
    told["links"] = {"self": f"deployments/{deployment.id}", **deployment.links}
    return {key: value for key, value in told.items() if value not in (None, "", {}, False)}


def with_phases(deployment: Deployment, recorded: Sequence[PhaseRecord], names: Sequence[str]) -> dict[str, Any]:
    """A deployment with all twelve phases (`names`, in order), those that were not reached as PENDING."""
    found = {record.name: record for record in recorded}
    rows = [found.get(name) or PhaseRecord(number, name, PhaseStatus.PENDING) for number, name in enumerate(names, 1)]
    steps = sorted(
        (record for record in recorded if record.name not in names),
        key=lambda record: record.started_at or "",
    )
    return as_shown(deployment) | {
        "percent": percent(deployment.status, rows),
        "phases": [_phase(row) for row in rows],
        "steps": [_phase(step) for step in steps],
    }


def percent(status: DeploymentStatus, rows: Sequence[PhaseRecord]) -> int:
    """Share of the phases that are done, 100 only at a good end."""
    if status is DeploymentStatus.SUCCEEDED:
        return 100
    done = sum(row.status in _DONE for row in rows)
    return min(99, 100 * done // max(1, len(rows)))


def _phase(record: PhaseRecord) -> dict[str, Any]:
    told: dict[str, Any] = {
        "number": record.number,
        "name": record.name,
        "status": record.status.value,
        "started_at": record.started_at,
        "ended_at": record.ended_at,
        "duration_s": _seconds(record.started_at, record.ended_at),
        "summary": record.summary,
        "evidence": dict(record.evidence),
    }
    if record.error:
        told["error"] = dict(record.error)
    return told


def _seconds(start: str | None, end: str | None) -> float | None:
    if not start or not end:
        return None
    return round((datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds(), 3)


def environment_shown(environment: Environment, history: Sequence[Mapping[str, Any]] = ()) -> dict[str, Any]:
    """Live version, last good, lock, fingerprints, history."""
    told = dataclasses.asdict(environment)
    told["applied"] = {
        phase: {"fingerprint": applied.fingerprint, "deployment_id": applied.deployment_id, "at": applied.at}
        for phase, applied in environment.applied.items()
    }
    if history:
        told["history"] = [dict(entry) for entry in history]
    return told
