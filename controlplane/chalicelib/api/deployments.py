"""`/deployments`: start one, list them, show one with its phases, report and handoff."""

from __future__ import annotations

from chalicelib.domain.errors import BadRequest, NotFound
from chalicelib.domain.model import DeploymentStatus
from chalicelib.domain.times import Clock
from chalicelib.engine import registry
from chalicelib.lifecycle import drill
from chalicelib.lifecycle.start import begin
from chalicelib.ports import Aws

from .answers import Answer, Call, accepted
from .views import as_shown, with_phases

_PAGE = 20
_PAGE_LIMIT = 100


def start(call: Call, aws: Aws, clock: Clock) -> Answer:
    """202 with id and Location. The same Idempotency-Key and body give the same deployment again."""
    key = call.headers.get("idempotency-key")
    return accepted(begin(drill.request_of(call.json(), aws), aws, clock, caller=call.caller, key=key))


def index(call: Call, aws: Aws, clock: Clock) -> Answer:
    """Newest first: `?environment=`, `?status=`, `?limit=` (1 to 100), `?cursor=`."""
    known = {"environment", "status", "limit", "cursor"}
    for name in call.query:
        if name not in known:
            raise BadRequest(f"unknown query parameter {name}", field=name, remedy=f"Known: {sorted(known)}.")
    page = aws.records.deployments(call.query.get("environment"), _status(call), _limit(call), call.query.get("cursor"))
    return Answer(200, {"deployments": [as_shown(item) for item in page.deployments], "cursor": page.cursor})


def _status(call: Call) -> DeploymentStatus | None:
    given = call.query.get("status")
    if given is None:
        return None
    try:
        return DeploymentStatus(given)
    except ValueError as error:
        states = ", ".join(DeploymentStatus)
        raise BadRequest(f"status {given!r} is not a state", field="status", remedy=f"One of {states}.") from error


def _limit(call: Call) -> int:
    given = call.query.get("limit", str(_PAGE))
    if not given.isdecimal() or not 1 <= int(given) <= _PAGE_LIMIT:
        raise BadRequest(f"limit {given!r} is not from 1 to {_PAGE_LIMIT}", field="limit", remedy="Leave it out.")
    return int(given)


def show(call: Call, aws: Aws, clock: Clock) -> Answer:
    """Status, percent, current phase, and every phase with times, summary, evidence and error."""
    deployment = aws.records.deployment(call.deployment_id)
    recorded = aws.records.phases(deployment.id)
    return Answer(200, with_phases(deployment, recorded, registry.PHASES))


def report(call: Call, aws: Aws, clock: Clock) -> Answer:
    return _document(call, aws, "report.html", "text/html; charset=utf-8")


def handoff(call: Call, aws: Aws, clock: Clock) -> Answer:
    return _document(call, aws, "handoff.md", "text/markdown; charset=utf-8")


def _document(call: Call, aws: Aws, name: str, content_type: str) -> Answer:
    deployment = aws.records.deployment(call.deployment_id)
    written = {phase.name: phase for phase in aws.records.phases(deployment.id)}.get("write_handoff")
    key = written.evidence.get(name) if written else None
    if not key:
        raise NotFound(
            f"deployment {deployment.id} has no {name}: phase write_handoff did not end",
            field="id",
            remedy="GET /deployments/{id} tells how far it came.",
        )
    return Answer(200, aws.artifacts.get(str(key)).decode(), {"Content-Type": content_type})
