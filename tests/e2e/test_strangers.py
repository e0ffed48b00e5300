"""Who may not call the control API: each route of the API that is deployed, and each kind of caller.

The routes are read from API Gateway's own definition, so that a new one is covered without anyone adding it here.
"""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.e2e.rolling import Embedded, until

_READER, _NOBODY = "proxyctl-test-reader", "proxyctl-test-nobody"
_SHORT_S = (3, 10, 30)  # of sessions that expire
_TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}],
}


@dataclass(frozen=True)
class Route:
    method: str
    path: str

    @property
    def called(self) -> str:
        """The path with a name in place of each parameter."""
        return "/".join("stranger" if part.startswith("{") else part for part in self.path.split("/"))


HEALTH = Route("GET", "/health")


@pytest.fixture(scope="module")
def routes(embedded: Embedded) -> list[Route]:
    """All methods of the deployed API, as API Gateway has them."""
    api = urlsplit(embedded.api_url).path.split("/execute-api/")[1].split("/")[0]
    pages = embedded.boto("apigateway").get_paginator("get_resources").paginate(restApiId=api, embed=["methods"])
    resources = [item for page in pages for item in page["items"]]
    return [Route(method, item["path"]) for item in resources for method in item.get("resourceMethods", {})]


@pytest.fixture(scope="module")
def known_callers(embedded: Embedded) -> Iterator[Mapping[str, Credentials]]:
    """Callers with keys: one that may GET, one that may nothing, and a session that has expired."""
    iam, sts = embedded.boto("iam"), embedded.boto("sts")
    statement = {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": "arn:aws:execute-api:*:*:*/*/GET/*"}
    reads = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    arns = {
        name: iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(_TRUST))["Role"]["Arn"]
        for name in (_READER, _NOBODY)
    }
    iam.put_role_policy(RoleName=_READER, PolicyName="reads", PolicyDocument=reads)
    reader = _assumed(sts, arns[_READER])
    until("the role may GET", lambda: _send(embedded, HEALTH, reader)[0] == 200)
    yield {
        "a GET-only caller": reader,
        "a caller without rights": _assumed(sts, arns[_NOBODY]),
        "an expired session": _expired(embedded, arns[_READER]),
    }
    iam.delete_role_policy(RoleName=_READER, PolicyName="reads")
    for name in (_READER, _NOBODY):
        iam.delete_role(RoleName=name)


def _assumed(sts: Any, arn: str) -> Credentials:
    answer = sts.assume_role(RoleArn=arn, RoleSessionName="test")["Credentials"]
    return Credentials(answer["AccessKeyId"], answer["SecretAccessKey"], answer["SessionToken"])


def _expired(embedded: Embedded, arn: str) -> Credentials:
    """A session that was good and has expired since; a longer one where the machine is too busy for the first."""
    for lasts_s in _SHORT_S:
        session = _short_session(embedded, arn, lasts_s)
        if _send(embedded, HEALTH, session)[0] == 200:
            until("it has expired", lambda: _send(embedded, HEALTH, session)[0] != 200)  # noqa: B023 - called at once
            return session
    raise AssertionError(f"no session of {_SHORT_S} s was good at first")


def _short_session(embedded: Embedded, arn: str, lasts_s: int) -> Credentials:
    """AWS grants 900 s at least, the emulator any time, so that nobody waits a quarter of an hour. Not by botocore:
    tests/limits.py refuses what AWS would refuse."""
    query = {"Action": "AssumeRole", "Version": "2011-06-15", "RoleArn": arn, "RoleSessionName": "test"}
    body = urlencode({**query, "DurationSeconds": lasts_s}).encode()
    request = AWSRequest(method="POST", url=embedded.cloud.endpoint, data=body)
    request.headers["Content-Type"] = "application/x-www-form-urlencoded"
    keys = embedded.cloud.operator
    SigV4Auth(Credentials(keys.access_key_id, keys.secret_access_key), "sts", embedded.aws.region).add_auth(request)
    answer = _exchange("POST", embedded.cloud.endpoint, body, dict(request.headers))[1].decode()
    fields = ("AccessKeyId", "SecretAccessKey", "SessionToken")
    return Credentials(*(answer.partition(f"<{name}>")[2].partition("<")[0] for name in fields))


def _send(embedded: Embedded, route: Route, credentials: Credentials | None) -> tuple[int, Any]:
    """Status and body. None: without a signature."""
    url, body = embedded.api_url + route.called, b"{}" if route.method != "GET" else b""
    request = AWSRequest(method=route.method, url=url, data=body)
    if credentials is not None:
        SigV4Auth(credentials, "execute-api", embedded.aws.region).add_auth(request)
    status, text = _exchange(route.method, url, body, dict(request.headers))
    return status, json.loads(text) if text else None


def _exchange(method: str, url: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, bytes]:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)
    try:
        connection.request(method, parts.path or "/", body or None, dict(headers))
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def _on_record(embedded: Embedded) -> tuple[Any, Any]:
    return embedded.client.deployments(), sorted(item["name"] for item in embedded.client.environments())


def test_the_deployed_api_has_the_routes_that_are_documented(embedded: Embedded, routes: list[Route]) -> None:
    """So that the table below is not empty by mistake."""
    status, document = embedded.call("GET", "/openapi.json")
    assert status == 200
    documented = {Route(method.upper(), path) for path, methods in document["paths"].items() for method in methods}
    assert set(routes) == documented


def test_no_stranger_reaches_a_route_and_a_reader_only_reads(
    embedded: Embedded, routes: list[Route], known_callers: Mapping[str, Credentials]
) -> None:
    operator = embedded.cloud.operator
    callers: dict[str, Credentials | None] = {
        "a stranger": None,
        "a wrong signature": Credentials(operator.access_key_id, "not-the-secret"),
        "an unknown key": Credentials("AKIA0123456789ABCDEF", "x"),
        **known_callers,
    }
    before = _on_record(embedded)
    table = {(who, route): _send(embedded, route, credentials)[0]
             for who, credentials in callers.items() for route in routes}  # fmt: skip
    assert _send(embedded, HEALTH, callers["an expired session"])[1]["error"]["code"] == "ExpiredToken"
    admitted = {(who, route) for (who, route), status in table.items() if status not in (401, 403)}
    reads = {("a GET-only caller", route) for route in routes if route.method == "GET"}
    assert admitted == reads
    assert _on_record(embedded) == before
