"""Calls of the control API, one method a route, and how a deployment is followed."""

import json
import time
import uuid
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote, urlencode

from ctl.signed import ApiError, NotAnAddress, Reply, Signed, error_of

__all__ = ["FINAL", "ApiError", "Client", "NotAnAddress", "Reply", "is_settled"]

FINAL = frozenset({"SUCCEEDED", "FAILED", "ROLLED_BACK", "ABORTED"})
_LAST_WORD_S = 5.0  # how long the last phase may take to be recorded after the deployment's own end


class Client(Signed):
    """The control API, as Python calls. Raises ApiError for whatever it refuses."""

    def start(self, body: Mapping[str, Any], idempotency_key: str | None = None) -> dict[str, Any]:
        """POST /deployments; the deployment as the API shows it."""
        headers = {"Idempotency-Key": idempotency_key} if idempotency_key else {}
        return self._object("POST", "/deployments", body, headers, retry=idempotency_key is not None)

    def deployment(self, deployment_id: str) -> dict[str, Any]:
        """GET /deployments/{id}, with every phase."""
        return self._object("GET", f"/deployments/{quote(deployment_id, safe='')}")

    def deployments(
        self, environment: str | None = None, status: str | None = None, limit: int | None = None
    ) -> list[dict[str, Any]]:
        """The newest page of GET /deployments."""
        wanted = {"environment": environment, "status": status, "limit": limit}
        query = urlencode({name: value for name, value in wanted.items() if value is not None}, quote_via=quote)
        found: list[dict[str, Any]] = self._object("GET", f"/deployments{'?' if query else ''}{query}")["deployments"]
        return found

    def environments(self) -> list[dict[str, Any]]:
        """GET /environments."""
        found: list[dict[str, Any]] = self._object("GET", "/environments")["environments"]
        return found

    def environment(self, name: str) -> dict[str, Any]:
        """GET /environments/{name}."""
        return self._object("GET", f"/environments/{quote(name, safe='')}")

    def nights(self) -> list[dict[str, Any]]:
        """GET /nights: what came of the last nightly revalidations, newest first."""
        found: list[dict[str, Any]] = self._object("GET", "/nights")["nights"]
        return found

    def put_secret(self, environment: str, secret: Mapping[str, Any]) -> dict[str, Any]:
        """PUT /environments/{name}/secret: `secret` is the whole of it; the answer never holds a key."""
        return self._secret("PUT", environment, secret)

    def patch_secret(self, environment: str, fields: Mapping[str, Any]) -> dict[str, Any]:
        """PATCH …/secret: these fields take the place of the stored ones, null removes one, all others stay.

        Raises ApiError with status 404 and code NotFound while the environment has no secret.
        """
        return self._secret("PATCH", environment, fields)

    def _secret(self, method: str, environment: str, fields: Mapping[str, Any]) -> dict[str, Any]:
        # Repeated without a key, a lost answer would leave the same key as the current and the previous version.
        once = {"Idempotency-Key": str(uuid.uuid4())}
        return self._object(method, f"/environments/{quote(environment, safe='')}/secret", fields, once)

    def command(self, deployment_id: str, verb: str) -> dict[str, Any]:
        """POST /deployments/{id}/{abort,approve,resume}: the deployment as it stands then; of a resume, the new one."""
        return self._object("POST", f"/deployments/{quote(deployment_id, safe='')}/{verb}", retry=False)

    def document(self, deployment_id: str, name: str) -> str:
        """The report (HTML) or the handoff (Markdown). Raises ApiError while it is not written."""
        reply = self.call("GET", f"/deployments/{quote(deployment_id, safe='')}/{name}")
        if reply.status >= 400:
            raise ApiError(reply.status, error_of(reply))
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
                yield from self._settled(shown)
                return
            state = json.dumps(shown.get("phases"), sort_keys=True)
            pause_s = 0.25 if state != last else min(pause_s * 1.4, 5.0)
            last = state
            if time.monotonic() > deadline:
                raise TimeoutError(f"deployment {deployment_id} did not end within {limit_s:.0f} s")
            time.sleep(pause_s)

    def _settled(self, shown: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """The step that ends a deployment is itself recorded a moment later: what it says then, too."""
        deadline, pause_s = time.monotonic() + _LAST_WORD_S, 0.1
        while not is_settled(shown) and time.monotonic() < deadline:
            time.sleep(pause_s)
            pause_s *= 1.5
            shown = self.deployment(str(shown["id"]))
            yield shown

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
            raise ApiError(reply.status, error_of(reply))
        if not isinstance(reply.body, dict):
            raise ApiError(reply.status, {"code": "NotJson", "message": f"{method} {path} answered something else"})
        return reply.body


def is_settled(deployment: Mapping[str, Any]) -> bool:
    """Whether no phase or step of it is RUNNING any more."""
    return all(row["status"] != "RUNNING" for row in [*deployment.get("phases", []), *deployment.get("steps", [])])
