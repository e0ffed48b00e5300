"""`GET /nights`: the results of the last nightly revalidations."""

from __future__ import annotations

from chalicelib.domain.times import Clock
from chalicelib.ports import Aws

from .answers import Answer, Call

_NIGHTS = 30


def index(call: Call, aws: Aws, clock: Clock) -> Answer:
    """GET /nights: what came of the last ones, newest first."""
    return Answer(200, {"nights": list(aws.nights.concluded(_NIGHTS))})
