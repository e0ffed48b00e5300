"""`/deployments`: start one, list them, show one with its phases, report and handoff."""

from __future__ import annotations

from chalicelib.costs.ledger import bill, region_of
from chalicelib.domain.errors import BadRequest, NotFound
from chalicelib.domain.model import Deployment, DeploymentStatus
from chalicelib.domain.names import Names
from chalicelib.domain.times import Clock
from chalicelib.engine import registry
from chalicelib.lifecycle import drill_requests
from chalicelib.lifecycle.start import begin
from chalicelib.ports import Aws
from chalicelib.upgrade import requests

from . import paging
from .answers import Answer, ApiCall, accept
from .load_figures import is_measuring, show_load
from .queries import refuse_unknown
from .responses import DeploymentDetail, DeploymentPage, DeploymentView
from .views import show_deployment, show_with_phases

_FILTERS = ("environment", "status", *paging.PARAMETERS)


def start(call: ApiCall, aws: Aws, clock: Clock) -> Answer[DeploymentView]:
    """Start a deployment. The same Idempotency-Key and body give the same deployment again."""
    call.refuse_query()
    key = call.headers.get("idempotency-key")
    body = drill_requests.rewrite(requests.rewrite(call.json()), aws)
    return accept(begin(body, aws, clock, caller=call.caller, key=key))


def index(call: ApiCall, aws: Aws, clock: Clock) -> Answer[DeploymentPage]:
    """Deployments, newest first: `?environment=`, `?status=`, `?limit=` (1 to 100), `?cursor=`.

    A page with both filters may hold fewer than `limit`, or none, and still have a cursor. `options.load.trace` is
    empty in lists."""
    refuse_unknown(call.query, _FILTERS)
    environment = call.query.get("environment")
    if environment is not None:
        Names(environment)  # refuses what no environment can be called
    page = aws.records.deployments(environment, _status(call), paging.limit_of(call), paging.cursor_of(call))
    return Answer(200, DeploymentPage(tuple(map(show_deployment, page.deployments)), page.cursor))


def _status(call: ApiCall) -> DeploymentStatus | None:
    text = call.query.get("status")
    if text is None:
        return None
    try:
        return DeploymentStatus(text)
    except ValueError as error:
        states = ", ".join(DeploymentStatus)
        raise BadRequest(f"status {text[:40]!r} is not a state", field="status", remedy=f"One of {states}.") from error


def show(call: ApiCall, aws: Aws, clock: Clock) -> Answer[DeploymentDetail]:
    """One deployment with every phase: status, times, summary, evidence and error."""
    call.refuse_query()
    deployment = aws.records.deployment(call.deployment_id)
    recorded = aws.records.phases(deployment.id)
    figures = aws.live_figures.of(deployment.id) if is_measuring(recorded) else ()
    cost = bill(deployment, recorded, region_of(deployment.config, aws.settings.region), clock().date())
    return Answer(200, show_with_phases(deployment, recorded, registry.PHASES, cost, load=show_load(figures)))


def report(call: ApiCall, aws: Aws, clock: Clock) -> Answer[str]:
    """The HTML report."""
    return _document(call, aws, "report", "report.html", "text/html; charset=utf-8")


def handoff(call: ApiCall, aws: Aws, clock: Clock) -> Answer[str]:
    """The handoff document (Markdown)."""
    return _document(call, aws, "handoff", "handoff.md", "text/markdown; charset=utf-8")


def _document(call: ApiCall, aws: Aws, link: str, name: str, content_type: str) -> Answer[str]:
    call.refuse_query()
    deployment = aws.records.deployment(call.deployment_id)
    key = _key(deployment, link, name, aws)
    if not key:
        why = "it has none" if deployment.status.is_final else "it is written when the deployment ends"
        raise NotFound(
            f"deployment {deployment.id} has no {name}: {why}",
            field="id",
            remedy="GET /deployments/{id} shows its phases.",
        )
    return Answer(200, aws.artifacts.get(key).decode(), {"Content-Type": content_type})


def _key(deployment: Deployment, link: str, name: str, aws: Aws) -> str:
    """The document's key in the bucket; "" without one. While the deployment runs, write_handoff's evidence names it;
    of a deployment of an earlier version of the control plane only that does."""
    if link in deployment.links:
        return f"reports/{deployment.id}/{name}"
    phases = {phase.name: phase for phase in aws.records.phases(deployment.id)}
    handoff = phases.get("write_handoff")
    return str(handoff.evidence.get(name, "")) if handoff else ""
