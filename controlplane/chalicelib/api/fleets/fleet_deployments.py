"""`/fleets/{name}/deployments`: roll environments in waves; status, abort, approval and report of the whole."""

from __future__ import annotations

from chalicelib.domain.errors import BadRequest, NotFound
from chalicelib.domain.fleets.model import FleetDeployment
from chalicelib.domain.names import Names
from chalicelib.domain.times import Clock
from chalicelib.lifecycle.fleets import answers as lifecycle
from chalicelib.lifecycle.fleets.start import begin_fleet
from chalicelib.ports import Aws

from .. import paging
from ..answers import Answer, ApiCall
from ..queries import refuse_unknown
from . import views
from .fleet_in_path import fleet_of
from .report import report_of
from .responses import FleetDeploymentPage, FleetDeploymentView

_HTML = {"Content-Type": "text/html; charset=utf-8"}


def start(call: ApiCall, aws: Aws, clock: Clock) -> Answer[FleetDeploymentView]:
    """Roll the environments of a fleet in waves. The same Idempotency-Key and body give the same one again."""
    call.refuse_query()
    key = call.headers.get("idempotency-key")
    begun = begin_fleet(call.path["name"], call.json(), aws, clock, caller=call.caller, key=key)
    return _accept(begun, aws)


def _accept(deployment: FleetDeployment, aws: Aws) -> Answer[FleetDeploymentView]:
    view = views.show(aws.fleets.state(deployment.id))
    return Answer(202, view, {"Content-Type": "application/json", "Location": view.links["self"]})


def index(call: ApiCall, aws: Aws, clock: Clock) -> Answer[FleetDeploymentPage]:
    """The deployments of a fleet, newest first: `?limit=` (1 to 100), `?cursor=`."""
    refuse_unknown(call.query, paging.PARAMETERS)
    fleet = fleet_of(call, aws)
    rows, following = aws.fleets.rows(fleet.name, paging.limit_of(call), paging.cursor_of(call))
    return Answer(200, FleetDeploymentPage(fleet.name, tuple(rows), following))


def show(call: ApiCall, aws: Aws, clock: Clock) -> Answer[FleetDeploymentView]:
    """One fleet deployment with every wave and every environment."""
    call.refuse_query()
    return Answer(200, views.show(aws.fleets.state(_deployment(call, aws).id)))


def report(call: ApiCall, aws: Aws, clock: Clock) -> Answer[str]:
    """The HTML report of the whole, with a link to the report of every environment's deployment."""
    call.refuse_query()
    return Answer(200, report_of(views.show(aws.fleets.state(_deployment(call, aws).id))), dict(_HTML))


def abort(call: ApiCall, aws: Aws, clock: Clock) -> Answer[FleetDeploymentView]:
    """Abort a fleet deployment: no further environment begins, and those that are rolled are aborted.

    `?roll_back=true` takes the others back as `on_failure` says; without it they stay.
    """
    refuse_unknown(call.query, ("roll_back",))
    text = call.query.get("roll_back", "false")
    if text not in ("true", "false"):
        raise BadRequest(
            f"roll_back is {text[:80]!r}", field="roll_back", remedy="Send roll_back=true, or leave it out."
        )
    deployment = _deployment(call, aws)
    lifecycle.abort_fleet(deployment, call.caller, aws, clock, roll_back=text == "true")
    return _accept(deployment, aws)


def approve(call: ApiCall, aws: Aws, clock: Clock) -> Answer[FleetDeploymentView]:
    """Approve a wave: the next one begins. 409 when the fleet deployment does not wait for an approval."""
    call.refuse_query()
    deployment = _deployment(call, aws)
    lifecycle.approve_wave(deployment, call.caller, aws, clock)
    return _accept(deployment, aws)


def _deployment(call: ApiCall, aws: Aws) -> FleetDeployment:
    """The one that the path names. Raises NotFound also when it is another fleet's."""
    name, id_ = Names(call.path["name"]).environment, call.deployment_id
    deployment = aws.fleets.deployment(id_)
    if deployment.fleet != name:
        raise NotFound(
            f"fleet {name} has no deployment {id_}",
            field="id",
            remedy=f"GET /fleets/{name}/deployments lists those that exist.",
        )
    return deployment
