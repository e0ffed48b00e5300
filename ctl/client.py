"""Calls of the control API, one method a route, and how a deployment is followed."""

import time
import uuid
from collections.abc import Iterator, Mapping
from typing import cast
from urllib.parse import quote, urlencode

from ctl import following
from ctl.shapes import (
    Costs,
    Deployment,
    Entry,
    Environment,
    Health,
    Night,
    PastIncident,
    SecretVersion,
    SecretView,
    StoredSecret,
)
from ctl.signed import ApiError, NotAnAddress, Reply, Signed, error_of

__all__ = ["FINAL", "ApiError", "Client", "NotAnAddress", "Reply", "is_settled"]

FINAL = frozenset({"SUCCEEDED", "FAILED", "ROLLED_BACK", "ABORTED"})
_LAST_STEP_S = 5.0  # how long the step that ends a deployment may take to be recorded after the deployment's own end
_PAUSES_S = (0.25, 5.0)
_USUAL_PAGE, _LARGEST_PAGE = 20, 100  # entries that the API answers when not asked for more, and at most


class Client(Signed):
    """The control API, as Python calls. Each raises ApiError for what the API refuses."""

    def start(self, body: Mapping[str, object], idempotency_key: str | None = None) -> Deployment:
        """POST /deployments; the deployment as the API shows it."""
        headers = {"Idempotency-Key": idempotency_key} if idempotency_key else {}
        answer = self.object_of("POST", "/deployments", body, headers, retry=idempotency_key is not None)
        return cast(Deployment, answer)

    def deployment(self, deployment_id: str) -> Deployment:
        """GET /deployments/{id}, with every phase."""
        return cast(Deployment, self.object_of("GET", f"/deployments/{_quoted(deployment_id)}"))

    def deployments(
        self, environment: str | None = None, status: str | None = None, limit: int | None = None
    ) -> list[Deployment]:
        """The newest of GET /deployments: the first page, or as many pages as `limit` of them take."""
        size = None if limit is None else min(limit, _LARGEST_PAGE)
        filters = {"environment": environment, "status": status, "limit": size}
        named = {name: str(value) for name, value in filters.items() if value is not None}
        return cast("list[Deployment]", self._listed("/deployments", "deployments", limit or _USUAL_PAGE, named))

    def environments(self) -> list[Environment]:
        """GET /environments: every page."""
        return cast("list[Environment]", self._listed("/environments", "environments", None))

    def history(self, name: str, limit: int = 20) -> list[Entry]:
        """The newest of GET /environments/{name}/history."""
        return cast("list[Entry]", self._listed(f"/environments/{_quoted(name)}/history", "history", limit))

    def environment(self, name: str) -> Environment:
        """GET /environments/{name}."""
        return cast(Environment, self.object_of("GET", f"/environments/{_quoted(name)}"))

    def costs(self, name: str) -> Costs:
        """GET /environments/{name}/costs."""
        return cast(Costs, self.object_of("GET", f"/environments/{_quoted(name)}/costs"))

    def incidents(self, name: str, limit: int = 20) -> list[PastIncident]:
        """The newest of GET /environments/{name}/incidents."""
        return cast("list[PastIncident]", self._listed(f"/environments/{_quoted(name)}/incidents", "incidents", limit))

    def incident(self, name: str, opened_by: str) -> PastIncident:
        """GET /environments/{name}/incidents/{id}, with what happened while it was open."""
        path = f"/environments/{_quoted(name)}/incidents/{_quoted(opened_by)}"
        return cast(PastIncident, self.object_of("GET", path))

    def nights(self, limit: int = 30) -> list[Night]:
        """GET /nights: the results of the last nightly revalidations, newest first."""
        return cast("list[Night]", self._listed("/nights", "nights", limit))

    def secret(self, environment: str, query: Mapping[str, str] | None = None) -> SecretView:
        """GET /environments/{name}/secret: names of its fields and fingerprints, never a value. query: target."""
        path = f"/environments/{_quoted(environment)}/secret{_query(query or {})}"
        return cast(SecretView, self.object_of("GET", path))

    def put_secret(
        self,
        environment: str,
        secret: Mapping[str, object],
        query: Mapping[str, str] | None = None,
        *,
        only_new: bool = False,
    ) -> StoredSecret:
        """PUT /environments/{name}/secret: `secret` is the whole document; the answer never holds a key.

        only_new: refuse to replace a secret. query: now, wait, reason, target.
        """
        return self._secret("PUT", environment, secret, query or {}, {"If-None-Match": "*"} if only_new else {})

    def patch_secret(
        self, environment: str, fields: Mapping[str, object], query: Mapping[str, str] | None = None
    ) -> StoredSecret:
        """PATCH …/secret: these fields replace the stored ones, null removes one, all others stay.

        Raises ApiError with status 404 and code NotFound while the environment has no secret.
        """
        return self._secret("PATCH", environment, fields, query or {}, {})

    def _secret(
        self,
        method: str,
        environment: str,
        fields: Mapping[str, object],
        query: Mapping[str, str],
        headers: Mapping[str, str],
    ) -> StoredSecret:
        # Repeated without a key, a lost answer would leave the same key as the current and the previous version.
        once = {"Idempotency-Key": str(uuid.uuid4()), **headers}
        path = f"/environments/{_quoted(environment)}/secret{_query(query)}"
        return cast(StoredSecret, self.object_of(method, path, fields, once))

    def secret_versions(self, environment: str) -> list[SecretVersion]:
        """GET …/secret/history, newest first."""
        answer = self.object_of("GET", f"/environments/{_quoted(environment)}/secret/history")
        return cast("list[SecretVersion]", answer["versions"])

    def roll_back_secret(
        self, environment: str, version_id: str | None = None, query: Mapping[str, str] | None = None
    ) -> StoredSecret:
        """POST …/secret/rollback: to a version, or to that of the release before."""
        body = {"version_id": version_id} if version_id else {}
        path = f"/environments/{_quoted(environment)}/secret/rollback{_query(query or {})}"
        return cast(StoredSecret, self.object_of("POST", path, body, retry=False))

    def command(self, deployment_id: str, verb: str) -> Deployment:
        """POST /deployments/{id}/{abort,approve,resume}: the deployment afterwards; of a resume, the new one."""
        return cast(Deployment, self.object_of("POST", f"/deployments/{_quoted(deployment_id)}/{verb}", retry=False))

    def document(self, deployment_id: str, name: str) -> str:
        """The report (HTML) or the handoff (Markdown). Raises ApiError while it is not written."""
        reply = self.call("GET", f"/deployments/{_quoted(deployment_id)}/{name}")
        if reply.status >= 400:
            raise ApiError(reply.status, error_of(reply))
        return str(reply.body)

    def health(self) -> Health:
        """GET /health."""
        return cast(Health, self.object_of("GET", "/health"))

    def follow(self, deployment_id: str, limit_s: float = 3600.0) -> Iterator[Deployment]:
        """The deployment again and again until it has ended; pauses grow while nothing changes.

        Raises TimeoutError after `limit_s` seconds.
        """
        latest: Deployment | None = None
        for latest in following.follow(
            lambda: self.deployment(deployment_id),
            lambda shown: (shown.get("phases"), shown.get("steps"), shown.get("load")),
            lambda shown: shown["status"] in FINAL,
            pauses_s=_PAUSES_S,
            limit_s=limit_s,
            late=f"deployment {deployment_id} did not end within {limit_s:.0f} s",
        ):
            yield latest
        if latest is not None:
            yield from self._settle(latest)

    def _settle(self, deployment: Deployment) -> Iterator[Deployment]:
        """Read on until the step that ended the deployment is recorded itself, a moment after the final status."""
        deadline, pause_s = time.monotonic() + _LAST_STEP_S, 0.1
        while not is_settled(deployment) and time.monotonic() < deadline:
            time.sleep(pause_s)
            pause_s *= 1.5
            deployment = self.deployment(deployment["id"])
            yield deployment

    def listed(self, path: str, key: str) -> list[object]:
        """Every entry of a list, page by page."""
        return self._listed(path, key, None)

    def _listed(
        self, path: str, key: str, wanted: int | None, filters: Mapping[str, str] | None = None
    ) -> list[object]:
        """The first `wanted` entries of a list, or all: pages are read until there are enough, or no more.

        Nothing asks for a page before an answer has named the next: a control plane that does not page refuses that.
        """
        entries: list[object] = []
        query: Mapping[str, str] = filters or {}
        while True:
            page = self.object_of("GET", f"{path}{_query(query)}")
            entries.extend(cast("list[object]", page[key]))
            cursor, rest = page.get("cursor"), _LARGEST_PAGE if wanted is None else wanted - len(entries)
            if not cursor or rest <= 0:
                return entries[:wanted]
            query = {**(filters or {}), "limit": str(min(rest, _LARGEST_PAGE)), "cursor": str(cursor)}

    def object_of(
        self,
        method: str,
        path: str,
        body: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        retry: bool = True,
    ) -> Mapping[str, object]:
        """The JSON object that a route answers. Raises ApiError for a refusal, and for another answer."""
        reply = self.call(method, path, body, headers, retry=retry)
        if reply.status >= 400:
            raise ApiError(reply.status, error_of(reply))
        if not isinstance(reply.body, dict):
            raise ApiError(reply.status, {"code": "NotJson", "message": f"{method} {path} answered no JSON object"})
        return reply.body


def _query(values: Mapping[str, str]) -> str:
    return f"?{urlencode(values, quote_via=quote)}" if values else ""


def _quoted(name: str) -> str:
    return quote(name, safe="")


def is_settled(deployment: Deployment) -> bool:
    """Whether no phase or step of it is RUNNING any more."""
    return all(row["status"] != "RUNNING" for row in [*deployment.get("phases", []), *deployment.get("steps", [])])
