"""`/health`: does the control plane work, and which one is it."""

from __future__ import annotations

from chalicelib.domain.times import Clock
from chalicelib.ports import Aws

from .answers import Answer, Call


def show(call: Call, aws: Aws, clock: Clock) -> Answer:
    """Reads the table, so that a green answer means more than a running Lambda."""
    environments = aws.records.environments()
    settings = aws.settings
    return Answer(
        200,
        {
            "status": "ok",
            "account": settings.account,
            "region": settings.region,
            "environments": len(environments),
            "bundle": settings.bundle_key,
        },
    )
