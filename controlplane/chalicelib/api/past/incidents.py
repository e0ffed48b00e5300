"""`/environments/{name}/incidents`: when an environment was not good, why, and what was done about it."""

from __future__ import annotations

from dataclasses import asdict

from chalicelib.domain.errors import NotFound
from chalicelib.domain.times import Clock
from chalicelib.ports import Aws

from .. import paging
from ..answers import Answer, ApiCall
from ..environment_in_path import environment_of
from ..queries import refuse_unknown
from ..views import read_history
from .responses import IncidentDetail, IncidentPage

_HISTORY = 100  # entries that an incident's page shows


def index(call: ApiCall, aws: Aws, clock: Clock) -> Answer[IncidentPage]:
    """The incidents of an environment, newest first: `?limit=` (1 to 100), `?cursor=`."""
    refuse_unknown(call.query, paging.PARAMETERS)
    name = environment_of(call, aws).name
    incidents, following = aws.records.incident_page(name, paging.limit_of(call), paging.cursor_of(call))
    return Answer(200, IncidentPage(name, tuple(incidents), following))


def show(call: ApiCall, aws: Aws, clock: Clock) -> Answer[IncidentDetail]:
    """One incident, by the deployment that opened it, with what happened in the environment while it was open."""
    call.refuse_query()
    name = environment_of(call, aws).name
    incident = aws.records.incident(name, call.deployment_id)
    if incident is None:
        raise NotFound(
            f"deployment {call.deployment_id} opened no incident of environment {name}",
            field="id",
            remedy=f"GET /environments/{name}/incidents lists those of the last 400 days.",
        )
    span = aws.records.history_between(name, incident.opened_at, incident.closed_at or "", _HISTORY)
    fields = asdict(incident) | {"drift": incident.drift}
    return Answer(200, IncidentDetail(environment=name, history=tuple(read_history(span)), **fields))
