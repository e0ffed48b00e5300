"""The fleet that a path names."""

from __future__ import annotations

from chalicelib.domain.errors import NotFound
from chalicelib.domain.fleets.model import Fleet
from chalicelib.domain.names import Names
from chalicelib.ports import Aws

from ..answers import ApiCall


def fleet_of(call: ApiCall, aws: Aws) -> Fleet:
    """The fleet that the path names. Raises NotFound for one that never had a deployment."""
    name = Names(call.path["name"]).environment
    fleet = aws.fleets.fleet(name)
    if fleet is None:
        raise NotFound(
            f"there is no fleet {name}",
            field="name",
            remedy="POST /fleets/{name}/deployments makes it; GET /fleets lists those that exist.",
        )
    return fleet
