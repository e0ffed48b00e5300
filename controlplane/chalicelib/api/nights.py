"""`GET /nights`: the results of the last nightly revalidations."""

from __future__ import annotations

from chalicelib.domain.codec import decode_lenient
from chalicelib.domain.nights import NightSummary
from chalicelib.domain.times import Clock
from chalicelib.ports import Aws

from .answers import Answer, ApiCall
from .responses import NightList

_NIGHTS = 30


def index(call: ApiCall, aws: Aws, clock: Clock) -> Answer[NightList]:
    """The last nightly revalidations, newest first."""
    call.refuse_query()
    nights = aws.nights.concluded(_NIGHTS)
    return Answer(200, NightList(tuple(decode_lenient(NightSummary, night) for night in nights)))
