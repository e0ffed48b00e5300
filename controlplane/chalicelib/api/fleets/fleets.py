"""`/fleets`: which fleets there are, and which deployment runs in each."""

from __future__ import annotations

from chalicelib.domain.fleets.model import Fleet
from chalicelib.domain.times import Clock
from chalicelib.ports import Aws

from .. import paging
from ..answers import Answer, ApiCall
from ..queries import refuse_unknown
from .fleet_in_path import fleet_of
from .responses import FleetList


def index(call: ApiCall, aws: Aws, clock: Clock) -> Answer[FleetList]:
    """All fleets: `?limit=` (1 to 100), `?cursor=`."""
    refuse_unknown(call.query, paging.PARAMETERS)
    listed, following = aws.fleets.fleets(paging.limit_of(call), paging.cursor_of(call))
    return Answer(200, FleetList(tuple(listed), following))


def show(call: ApiCall, aws: Aws, clock: Clock) -> Answer[Fleet]:
    """One fleet: the deployment that runs in it, and its last one."""
    call.refuse_query()
    return Answer(200, fleet_of(call, aws))
