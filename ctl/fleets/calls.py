"""Calls of the control API's routes of fleets, and how the deployment of one is followed."""

import json
import time
from collections.abc import Iterator, Mapping
from typing import cast
from urllib.parse import quote

from ctl.client import FINAL, ApiError, Client
from ctl.fleets.shapes import Fleet, FleetDeployment
from ctl.signed import error_of

_FIRST_PAUSE_S, _LAST_PAUSE_S = 0.5, 15.0
FOLLOWED_S = 14 * 86_400.0  # as long as a fleet may take, with its soaks and approvals


def start(client: Client, name: str, body: Mapping[str, object], key: str | None) -> FleetDeployment:
    """POST /fleets/{name}/deployments."""
    headers = {"Idempotency-Key": key} if key else {}
    return _call(client, "POST", f"{_path(name)}", body, headers, retry=key is not None)


def shown(client: Client, name: str, id_: str | None) -> FleetDeployment:
    """GET /fleets/{name}/deployments/{id}; without an ID the last one of the fleet."""
    return _call(client, "GET", f"{_path(name)}/{_quoted(id_ or _last(client, name))}")


def answer(client: Client, name: str, id_: str | None, verb: str) -> FleetDeployment:
    """POST …/{abort,approve}, with its query."""
    return _call(client, "POST", f"{_path(name)}/{_quoted(id_ or _last(client, name))}/{verb}", retry=False)


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
    deadline, pause_s, before = time.monotonic() + FOLLOWED_S, _FIRST_PAUSE_S, ""
    while True:
        deployment = shown(client, name, id_)
        yield deployment
        if deployment["status"] in FINAL:
            return
        state = json.dumps(deployment, sort_keys=True)
        pause_s = _FIRST_PAUSE_S if state != before else min(pause_s * 1.4, _LAST_PAUSE_S)
        before = state
        if time.monotonic() > deadline:
            raise TimeoutError(f"fleet deployment {id_} did not end within two weeks")
        time.sleep(pause_s)


def _last(client: Client, name: str) -> str:
    reply = client.call("GET", f"/fleets/{_quoted(name)}")
    if reply.status >= 400 or not isinstance(reply.body, dict):
        raise ApiError(reply.status, error_of(reply))
    return str(reply.body["last_deployment"])


def _call(
    client: Client,
    method: str,
    path: str,
    body: Mapping[str, object] | None = None,
    headers: Mapping[str, str] | None = None,
    *,
    retry: bool = True,
) -> FleetDeployment:
    reply = client.call(method, path, body, headers, retry=retry)
    if reply.status >= 400 or not isinstance(reply.body, dict):
        raise ApiError(reply.status, error_of(reply))
    return cast(FleetDeployment, reply.body)


def _path(name: str) -> str:
    return f"/fleets/{_quoted(name)}/deployments"


def _quoted(name: str) -> str:
    return quote(name, safe="")
