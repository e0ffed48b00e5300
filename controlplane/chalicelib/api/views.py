"""Records as the API shows them: GET /deployments/{id} and GET /environments/{name}."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any, cast

from chalicelib.costs.bill import Bill
from chalicelib.domain.codec import decode_lenient
from chalicelib.domain.model import Deployment, DeploymentStatus, Environment, PhaseRecord, PhaseStatus
from chalicelib.domain.records import HistoryEntry

from .dora import Dora
from .responses import (
    AppliedView,
    DeploymentDetail,
    DeploymentView,
    EnvironmentDetail,
    EnvironmentView,
    LoadView,
    PhaseView,
    RecordedError,
)

_ABSENT_WHEN_EMPTY = ("caller", "execution_arn", "summary", "resumes")


def show_deployment(deployment: Deployment) -> DeploymentView:
    """A deployment without its phases."""
    return DeploymentView(**_deployment(deployment))


def show_with_phases(
    deployment: Deployment,
    recorded: Sequence[PhaseRecord],
    names: Sequence[str],
    cost: Bill,
    load: LoadView | None = None,
) -> DeploymentDetail:
    """A deployment with all phases. names: the twelve phases in order; those without a record are PENDING."""
    records = {record.name: record for record in recorded}
    rows = [records.get(name) or PhaseRecord(number, name, PhaseStatus.PENDING) for number, name in enumerate(names, 1)]
    steps = sorted(
        (record for record in recorded if record.name not in names),
        key=lambda record: record.started_at or "",
    )
    return DeploymentDetail(
        **_deployment(deployment),
        percent=percent(deployment.status, rows),
        cost=cost,
        load=load,
        phases=tuple(map(_show_phase, rows)),
        steps=tuple(map(_show_phase, steps)),
    )


def percent(status: DeploymentStatus, rows: Sequence[PhaseRecord]) -> int:
    """Share of the phases that have ended well, 0 to 100; 100 only for a deployment that succeeded."""
    if status is DeploymentStatus.SUCCEEDED:
        return 100
    done = sum(row.status.is_done for row in rows)
    return min(99, 100 * done // max(1, len(rows)))


def _deployment(deployment: Deployment) -> dict[str, Any]:
    """The fields of DeploymentView. The task token of an approval is not shown."""
    shown = {field.name: getattr(deployment, field.name, None) for field in fields(DeploymentView)}
    return shown | {
        **{name: shown[name] or None for name in _ABSENT_WHEN_EMPTY},
        "duration_s": seconds(deployment.started_at, deployment.ended_at),
        "approval": {key: value for key, value in deployment.approval.items() if key != "token"} or None,
        "links": {"self": f"deployments/{deployment.id}", **_passed(deployment), **deployment.links},
    }


def _passed(deployment: Deployment) -> dict[str, str]:
    promotion = deployment.promotion
    return {"promoted_from": f"deployments/{promotion.deployment_id}"} if promotion else {}


def _show_phase(record: PhaseRecord) -> PhaseView:
    return PhaseView(
        number=record.number,
        name=record.name,
        status=record.status,
        started_at=record.started_at,
        ended_at=record.ended_at,
        duration_s=seconds(record.started_at, record.ended_at),
        summary=record.summary,
        evidence=record.evidence,
        error=cast("RecordedError | None", record.error or None),
    )


def seconds(start: str | None, end: str | None) -> float | None:
    """From one time (ISO 8601) to the other; None while one of them is missing."""
    if not start or not end:
        return None
    return round((datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds(), 3)


def show_environment(environment: Environment) -> EnvironmentView:
    """An environment as lists show it."""
    return EnvironmentView(**_environment(environment))


def show_with_history(environment: Environment, history: Sequence[HistoryEntry], dora: Dora) -> EnvironmentDetail:
    """An environment with its history, newest first, and its DORA metrics."""
    return EnvironmentDetail(**_environment(environment), history=tuple(history), dora=dora)


def _environment(environment: Environment) -> dict[str, Any]:
    """The fields of EnvironmentView."""
    target = environment.target if environment.has_resources else None
    place = {"account": target and target.account, "region": target and target.region}
    names = {field.name for field in fields(EnvironmentView)} - set(place)
    shown = place | {name: getattr(environment, name) for name in names}
    applied = {
        phase: AppliedView(applied.fingerprint, applied.deployment_id, applied.at)
        for phase, applied in environment.applied.items()
    }
    return shown | {"applied": applied}


def read_history(recorded: Sequence[Mapping[str, object]]) -> list[HistoryEntry]:
    """History as records return it, possibly written by another version of the control plane."""
    return [decode_lenient(HistoryEntry, entry) for entry in recorded]
