"""`GET /nights`: the results of the last nightly revalidations."""

from __future__ import annotations

from chalicelib.domain.codec import decode_lenient
from chalicelib.domain.nights import NightSummary
from chalicelib.domain.times import Clock
from chalicelib.ports import Aws

from . import paging
from .answers import Answer, ApiCall
from .queries import refuse_unknown
from .responses import NightList


def index(call: ApiCall, aws: Aws, clock: Clock) -> Answer[NightList]:
    """The nightly revalidations of the last 90 days, newest first: `?limit=` (1 to 100), `?cursor=`."""
    refuse_unknown(call.query, paging.PARAMETERS)
    nights, following = aws.nights.concluded(paging.limit_of(call), paging.cursor_of(call))
    return Answer(200, NightList(tuple(decode_lenient(NightSummary, night) for night in nights), following))
