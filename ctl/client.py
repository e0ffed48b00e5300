"""Calls of the control API, signed with SigV4 by botocore over one kept-alive connection of http.client."""

import http.client
import json
import random
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest

TIMEOUT_S = 35.0  # API Gateway itself gives up after 29 s
ATTEMPTS = 4
FINAL = frozenset({"SUCCEEDED", "FAILED", "ROLLED_BACK", "ABORTED"})


class ApiError(Exception):
    """The API refused, or did not answer. `error` is the body's: code, message, field?, remedy?."""

    def __init__(self, status: int, error: Mapping[str, Any]) -> None:
        self.status, self.error = status, dict(error)
        super().__init__(self.told())

    def told(self) -> str:
        """One line for a person."""
        line = f"{self.error.get('code', self.status)}: {self.error.get('message', 'no message')}"
        remedy = self.error.get("remedy")
        return f"{line} ({remedy})" if remedy else line


@dataclass(frozen=True)
class Reply:
    """status, headers (names in lower case) and the decoded JSON body (text when it is not JSON)."""

    status: int
    headers: Mapping[str, str]
    body: Any


class Client:
    """The control API at `url` (…/api), called with a botocore session's credentials."""

    def __init__(self, url: str, session: Any, region: str) -> None:
        self._parts = urlsplit(url.rstrip("/"))
        self._session, self._region = session, region
        self._connection: http.client.HTTPConnection | None = None

    def start(self, body: Mapping[str, Any], idempotency_key: str | None = None) -> dict[str, Any]:
        """POST /deployments; the deployment as the API shows it."""
        headers = {"Idempotency-Key": idempotency_key} if idempotency_key else {}
        return self._object("POST", "/deployments", body, headers, retry=idempotency_key is not None)

    def deployment(self, deployment_id: str) -> dict[str, Any]:
        """GET /deployments/{id}, with every phase."""
        return self._object("GET", f"/deployments/{quote(deployment_id, safe='')}")

    def deployments(self, environment: str | None = None) -> list[dict[str, Any]]:
        """The newest page of GET /deployments."""
        query = f"?environment={quote(environment, safe='')}" if environment else ""
        found: list[dict[str, Any]] = self._object("GET", f"/deployments{query}")["deployments"]
        return found

    def environments(self) -> list[dict[str, Any]]:
        """GET /environments."""
        found: list[dict[str, Any]] = self._object("GET", "/environments")["environments"]
        return found

    def environment(self, name: str) -> dict[str, Any]:
        """GET /environments/{name}."""
        return self._object("GET", f"/environments/{quote(name, safe='')}")

    def put_secret(self, environment: str, secret: Mapping[str, Any]) -> dict[str, Any]:
        """PUT /environments/{name}/secret; the answer never holds the key."""
        return self._object("PUT", f"/environments/{quote(environment, safe='')}/secret", secret)

    def patch_secret(self, environment: str, fields: Mapping[str, Any]) -> dict[str, Any]:
        """PATCH /environments/{name}/secret: only these fields change, null takes one away."""
        return self._object("PATCH", f"/environments/{quote(environment, safe='')}/secret", fields)

    def command(self, deployment_id: str, verb: str) -> dict[str, Any]:
        """POST /deployments/{id}/{abort,approve,resume}: the deployment as it stands then; of a resume, the new one."""
        return self._object("POST", f"/deployments/{quote(deployment_id, safe='')}/{verb}", retry=False)

    def document(self, deployment_id: str, name: str) -> str:
        """The report (HTML) or the handoff (Markdown). Raises ApiError while it is not written."""
        reply = self.call("GET", f"/deployments/{quote(deployment_id, safe='')}/{name}")
        if reply.status >= 400:
            raise ApiError(reply.status, _error_of(reply))
        return str(reply.body)

    def health(self) -> dict[str, Any]:
        """GET /health."""
        return self._object("GET", "/health")

    def follow(self, deployment_id: str, limit_s: float = 3600.0) -> Iterator[dict[str, Any]]:
        """The deployment again and again until it has ended; pauses grow while nothing changes.

        Raises TimeoutError after `limit_s` seconds.
        """
        deadline, pause_s, last = time.monotonic() + limit_s, 0.25, ""
        while True:
            shown = self.deployment(deployment_id)
            yield shown
            if shown["status"] in FINAL:
                return
            state = json.dumps(shown.get("phases"), sort_keys=True)
            pause_s = 0.25 if state != last else min(pause_s * 1.4, 5.0)
            last = state
            if time.monotonic() > deadline:
                raise TimeoutError(f"deployment {deployment_id} did not end within {limit_s:.0f} s")
            time.sleep(pause_s)

    def _object(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        retry: bool = True,
    ) -> dict[str, Any]:
        reply = self.call(method, path, body, headers, retry=retry)
        if reply.status >= 400:
            raise ApiError(reply.status, _error_of(reply))
        if not isinstance(reply.body, dict):
            raise ApiError(reply.status, {"code": "NotJson", "message": f"{method} {path} answered something else"})
        return reply.body

    def call(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        retry: bool = True,
    ) -> Reply:
        """One request; what may be repeated without harm is repeated when AWS is busy or the connection breaks."""
        content = b"" if body is None else json.dumps(body).encode()
        for attempt in range(1, ATTEMPTS + 1):
            last = attempt == ATTEMPTS or not retry
            try:
                reply = self._exchange(method, path, content, headers or {})
            except (OSError, http.client.HTTPException) as error:
                self._close()
                if last:
                    cause = f"{self._parts.geturl()}{path} does not answer: {type(error).__name__}: {error}"
                    raise ApiError(0, {"code": "Unreachable", "message": cause}) from error
            else:
                if last or reply.status not in (429, 500, 502, 503, 504):
                    return reply
            time.sleep(random.uniform(0.1, 0.4 * 2**attempt))  # noqa: S311 - jitter
        raise AssertionError("the last attempt returns or raises")

    def _exchange(self, method: str, path: str, content: bytes, headers: Mapping[str, str]) -> Reply:
        signed = self._signed(method, path, content, headers)
        if self._connection is None:
            kind = http.client.HTTPSConnection if self._parts.scheme == "https" else http.client.HTTPConnection
            self._connection = kind(self._parts.hostname or "", self._parts.port, timeout=TIMEOUT_S)
        self._connection.request(method, self._parts.path + path, body=content or None, headers=signed)
        response = self._connection.getresponse()
        text = response.read()
        if response.will_close:
            self._close()
        return Reply(response.status, {k.lower(): v for k, v in response.getheaders()}, _decoded(text))

    def _signed(self, method: str, path: str, content: bytes, headers: Mapping[str, str]) -> dict[str, str]:
        given = {"Accept": "application/json", **headers}
        if content:
            given["Content-Type"] = "application/json"
        request = AWSRequest(method=method, url=self._parts.geturl() + path, data=content, headers=given)
        # Asked anew each time: a session's credentials may expire while a rollout is followed.
        credentials = self._session.get_credentials()
        if credentials is None:
            raise ApiError(0, {"code": "NoCredentials", "message": "there are no AWS credentials to sign with"})
        SigV4Auth(credentials.get_frozen_credentials(), "execute-api", self._region).add_auth(request)
        return {name: str(value) for name, value in request.headers.items()}

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _decoded(text: bytes) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text.decode(errors="replace")


def _error_of(reply: Reply) -> dict[str, Any]:
    """Our own shape, or what API Gateway says when it refuses before our code runs."""
    if isinstance(reply.body, dict):
        inner = reply.body.get("error")
        if isinstance(inner, dict):
            return inner
        message = reply.body.get("message") or reply.body.get("Message")
        return {"code": f"Http{reply.status}", "message": message or "no message"}
    return {"code": f"Http{reply.status}", "message": str(reply.body)[:200]}
