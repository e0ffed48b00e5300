"""The environment that a path names."""

from __future__ import annotations

from chalicelib.domain.errors import unknown_environment
from chalicelib.domain.model import Environment
from chalicelib.domain.names import Names
from chalicelib.ports import Aws

from .answers import ApiCall


def environment_of(call: ApiCall, aws: Aws) -> Environment:
    """Raises NotFound for an environment that never had a deployment."""
    name = Names(call.path["name"]).environment
    environment = aws.records.environment(name)
    if not environment.is_known:
        raise unknown_environment(name, field="name")
    return environment
