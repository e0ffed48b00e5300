"""The environment that a path names, and where its secret is: in its target, or in that of `?target=` for a new one."""

from __future__ import annotations

from chalicelib.domain.aws.targets import Target
from chalicelib.domain.codec import decode
from chalicelib.domain.errors import unknown_environment
from chalicelib.domain.model import Environment
from chalicelib.domain.names import Names
from chalicelib.lifecycle.config_patch import refuse_elsewhere, refuse_impossible
from chalicelib.ports import Aws

from .answers import ApiCall
from .bodies import json_object

PARAMETER = "target"
_ROLE = "api"
_REMEDY = 'Send the same object as config.target: {"role_arn": …, "external_id": …, "region": …}, as JSON.'


def environment_of(call: ApiCall, aws: Aws) -> Environment:
    """Raises NotFound for an environment that never had a deployment."""
    name = Names(call.path["name"]).environment
    environment = aws.records.environment(name)
    if not environment.is_known:
        raise unknown_environment(name, field="name")
    return environment


def secret_ports(call: ApiCall, aws: Aws) -> Aws:
    """The ports of the account and region that have the secret of the environment in the path.

    Raises BadRequest for a malformed target, Conflict (TargetFixed) when the environment exists elsewhere.
    """
    home = aws.at(None, _ROLE)
    environment = home.records.environment(Names(call.path["name"]).environment)
    wanted = _named(call)
    if wanted is None:
        return aws.at(environment.target, _ROLE)
    refuse_impossible(wanted, home.settings)
    refuse_elsewhere(wanted, environment)
    return aws.at(wanted, _ROLE)


def _named(call: ApiCall) -> Target | None:
    text = call.query.get(PARAMETER)
    if text is None:
        return None
    target = json_object(text.encode(errors="surrogatepass"), PARAMETER, remedy=_REMEDY)
    return decode(Target, target, under=PARAMETER)
