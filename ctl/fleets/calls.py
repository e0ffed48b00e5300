"""Calls of the control API's routes of fleets, and how the deployment of one is followed."""

from collections.abc import Iterator, Mapping
from typing import cast
from urllib.parse import quote

from ctl import following
from ctl.client import FINAL, ApiError, Client
from ctl.fleets.shapes import Fleet, FleetDeployment
from ctl.signed import error_of

_PAUSES_S = (0.5, 15.0)
FOLLOWED_S = 14 * 86_400.0  # as long as a fleet may take, with its soaks and approvals


def start(client: Client, name: str, body: Mapping[str, object], key: str | None) -> FleetDeployment:
    """POST /fleets/{name}/deployments."""
    headers = {"Idempotency-Key": key} if key else {}
    return cast(FleetDeployment, client.object_of("POST", _path(name), body, headers, retry=key is not None))


def shown(client: Client, name: str, id_: str | None) -> FleetDeployment:
    """GET /fleets/{name}/deployments/{id}; without an ID the last one of the fleet."""
    return cast(FleetDeployment, client.object_of("GET", f"{_path(name)}/{_quoted(id_ or _last(client, name))}"))


def answer(client: Client, name: str, id_: str | None, verb: str) -> FleetDeployment:
    """POST …/{abort,approve}, with its query."""
    path = f"{_path(name)}/{_quoted(id_ or _last(client, name))}/{verb}"
    return cast(FleetDeployment, client.object_of("POST", path, retry=False))


def report(client: Client, name: str, id_: str | None) -> str:
    """The HTML report of the whole."""
    reply = client.call("GET", f"{_path(name)}/{_quoted(id_ or _last(client, name))}/report")
    if reply.status >= 400:
        raise ApiError(reply.status, error_of(reply))
    return str(reply.body)


def fleets(client: Client) -> list[Fleet]:
    """Every fleet."""
    return cast("list[Fleet]", client.listed("/fleets", "fleets"))


def follow(client: Client, name: str, id_: str) -> Iterator[FleetDeployment]:
    """The fleet deployment again and again until it has ended; pauses grow while nothing changes.

    Raises TimeoutError after two weeks.
    """
    return following.follow(
        lambda: shown(client, name, id_),
        lambda deployment: deployment,
        lambda deployment: deployment["status"] in FINAL,
        pauses_s=_PAUSES_S,
        limit_s=FOLLOWED_S,
        late=f"fleet deployment {id_} did not end within two weeks",
    )


def _last(client: Client, name: str) -> str:
    return str(client.object_of("GET", f"/fleets/{_quoted(name)}")["last_deployment"])


def _path(name: str) -> str:
    return f"/fleets/{_quoted(name)}/deployments"


def _quoted(name: str) -> str:
    return quote(name, safe="")
