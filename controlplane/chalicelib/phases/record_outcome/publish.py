"""Writes report and handoff of every deployment that ends: a failed one needs them most."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from chalicelib.costs.ledger import bill
from chalicelib.domain.model import Deployment, FinishedRun, PhaseRecord, PhaseStatus
from chalicelib.domain.times import stamp
from chalicelib.engine.phase import Request
from chalicelib.engine.recording import used
from chalicelib.ports import Aws

from .outcome import Outcome

# Each document's name in the API, by its name in the bucket.
_ROUTES = {"report.html": "report", "handoff.md": "handoff"}


@dataclass(frozen=True, slots=True)
class Written:
    """links: path below the API's address by name, `report` and `handoff`. problem: why there are none, else "".

    usd: what the deployment cost, None where that is not recorded.
    """

    links: Mapping[str, str] = field(default_factory=dict)
    problem: str = ""
    usd: float | None = None


def write(request: Request, deployment: Deployment, outcome: Outcome, users: str, aws: Aws) -> Written:
    """Write both documents. It never raises: the environment must be unlocked, whatever becomes of its documents."""
    run = FinishedRun(
        deployment=deployment,
        environment=request.environment,
        phases=_phases(request, outcome, aws),
        status=outcome.status,
        summary=outcome.summary,
        error=outcome.error,
        users=users,
        at=stamp(request.now),
    )
    usd = bill(deployment, run.phases, aws.settings.region, request.now.date()).usd
    try:
        names = aws.documents.write(run)
    except Exception as error:
        logging.getLogger(__name__).exception("report and handoff of %s could not be written", deployment.id)
        return Written(problem=f"not written: {error}", usd=usd)
    return Written({_ROUTES[name]: f"deployments/{deployment.id}/{_ROUTES[name]}" for name in names}, usd=usd)


def _phases(request: Request, outcome: Outcome, aws: Aws) -> tuple[PhaseRecord, ...]:
    """The records of this deployment, in the order in which they began; this step with what it is about to record."""
    recorded = [phase for phase in aws.records.phases(request.deployment_id) if phase.started_at]
    ended = [_ended(phase, request, outcome, aws) if phase.name == "record_outcome" else phase for phase in recorded]
    return tuple(sorted(ended, key=lambda phase: phase.started_at or ""))


def _ended(phase: PhaseRecord, request: Request, outcome: Outcome, aws: Aws) -> PhaseRecord:
    return replace(
        phase,
        status=PhaseStatus.SUCCEEDED,
        summary=outcome.summary,
        ended_at=stamp(request.now),
        usage=used(phase, aws),
    )
