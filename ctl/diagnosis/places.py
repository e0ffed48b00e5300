"""Which account and region an environment is in, and with which credentials its own AWS can be read."""

import sys
from dataclasses import dataclass

from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError

from ctl.client import ApiError, Client
from ctl.inputs import Refused
from ctl.shapes import Environment
from ctl.words import clean, command

_NO_SUCH = 404


@dataclass(frozen=True, slots=True)
class Place:
    """An account and region; both "" for the control plane's own."""

    account: str = ""
    region: str = ""

    def __str__(self) -> str:
        return f"account {self.account}, region {self.region}"


def place_of(environment: Environment) -> Place:
    """Where an environment is."""
    return Place(environment.get("account") or "", environment.get("region") or "")


def reader(client: Client, name: str, service: str, profile: str | None) -> BaseClient:
    """A client of a service where the environment is. profile: AWS profile whose credentials to take, None for those
    that sign requests to the control API.

    Raises Refused for credentials of another account: the same names there would be another environment's.
    """
    place = _whereabouts(client, name)
    try:
        if place.account:
            _check(client.aws("sts", place.region, profile), name, place)
        return client.aws(service, place.region, profile)
    except (ClientError, BotoCoreError) as problem:
        raise Refused(f"cannot use these AWS credentials: {clean(problem)}") from None


def _whereabouts(client: Client, name: str) -> Place:
    try:
        return place_of(client.environment(name))
    except ApiError as error:
        if error.status == _NO_SUCH:
            raise
        # Logs are wanted most where the control plane does not answer.
        sys.stderr.write(
            f"proxyctl: the control plane does not say where {clean(name)} is ({clean(error)}); "
            f"this is the log of {clean(name)} in {client.region}\n"
        )
        return Place()


def _check(sts: BaseClient, name: str, place: Place) -> None:
    account = str(sts.get_caller_identity()["Account"])
    if account != place.account:
        raise Refused(
            f"{clean(name)} is in {place}, and these credentials are of account {account}; name a profile of that "
            f"account: {command()} logs {clean(name)} --profile PROFILE"
        )
