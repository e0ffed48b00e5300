"""A call of the API, its answer, and how errors become bodies (design §3). No traceback leaves the control plane."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from chalicelib.domain.codec import encode
from chalicelib.domain.errors import AccessDenied, BadRequest, Conflict, NotFound, RolloutError, Throttled
from chalicelib.domain.model import Deployment
from chalicelib.domain.times import Clock
from chalicelib.ports import Aws
from chalicelib.upgrade.releases import CLIENT_HEADER, refuse_old_client

from .bodies import body_of, json_object
from .queries import refuse_unknown
from .responses import DeploymentView, ErrorBody, ErrorDetail, StoredSecret
from .views import show_deployment

B_co = TypeVar("B_co", covariant=True)

_STATUS: dict[type[RolloutError], int] = {
    BadRequest: 400,
    NotFound: 404,
    Conflict: 409,
    AccessDenied: 502,
    Throttled: 503,
}
_ID = re.compile(r"[A-Za-z0-9-]{1,64}")
_ID_SHOWN = 80
_BODY_LIMIT = 256 * 1024  # far above any real request, far below Lambda's limit
_JSON = "application/json"
_IS_JSON = re.compile(r"\s*application/([a-z0-9.-]+\+)?json\s*(;|$)", re.IGNORECASE)
_STATUS_BY_CODE = {"UnsupportedMediaType": 415, "ClientTooOld": 426}


@dataclass(frozen=True, slots=True)
class ApiCall:
    """headers: names in lower case. caller: the ARN that API Gateway authenticated. repeated: names of query parameters
    that were sent more than once."""

    path: Mapping[str, str]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    caller: str
    repeated: tuple[str, ...] = ()

    @property
    def deployment_id(self) -> str:
        """The path's ID. Raises NotFound for a text that is no deployment's ID."""
        text = self.path["id"]
        if not _ID.fullmatch(text):
            raise NotFound(
                f"there is no deployment {text[:_ID_SHOWN]!r}",
                field="id",
                remedy="GET /deployments lists those that exist.",
            )
        return text

    def refuse_query(self) -> None:
        """Raises BadRequest for any query parameter: this route takes none."""
        refuse_unknown(self.query, ())

    def refuse_input(self) -> None:
        """Raises BadRequest for any query parameter, and for a body with fields: this route takes none."""
        self.refuse_query()
        for name in sorted({} if self.body.strip() in (b"", b"null") else self.json()):
            raise BadRequest(f"unknown field {name[:_ID_SHOWN]}", field=name, remedy="Send no body.")

    def json(self) -> dict[str, object]:
        """The body as a JSON object. Raises BadRequest for anything else."""
        if not _IS_JSON.match(self.headers.get("content-type") or _JSON):
            raise BadRequest(
                f"the body's type is {self.headers['content-type'][:80]!r}; this API reads JSON",
                code="UnsupportedMediaType",
                field="Content-Type",
                remedy=f"Send Content-Type: {_JSON}.",
            )
        if len(self.body) > _BODY_LIMIT:
            raise BadRequest(f"the body is larger than {_BODY_LIMIT} bytes", field="body", remedy="Send less.")
        return json_object(self.body, "body", remedy="Send a JSON object.")


def call_of(request: Any, path: Mapping[str, str]) -> ApiCall:
    """The call in a request of Chalice's. path: the values of the route's parameters."""
    raw, sent = request.raw_body, request.query_params
    return ApiCall(
        path=path,
        query=dict(sent or {}),
        headers={name.lower(): value for name, value in request.headers.items()},
        body=raw.encode() if isinstance(raw, str) else raw,
        caller=str(request.context.get("identity", {}).get("userArn") or "unknown"),
        repeated=tuple(sorted(name for name in sent or () if len(sent.getlist(name)) > 1)),
    )


@dataclass(frozen=True, slots=True)
class Answer(Generic[B_co]):
    """What a route answers. body: one of `responses`, text, or plain JSON."""

    status: int
    body: B_co
    headers: dict[str, str] = field(default_factory=lambda: {"Content-Type": _JSON})


def accept(deployment: Deployment) -> Answer[DeploymentView]:
    """202 with the deployment, and its location."""
    headers = {"Content-Type": _JSON, "Location": f"deployments/{deployment.id}"}
    return Answer(202, show_deployment(deployment), headers)


def answer_stored(secret: StoredSecret) -> Answer[StoredSecret]:
    """202 with the location of the deployment that rolls the version, 200 without one."""
    if secret.deployment is None:
        return Answer(200, secret)
    return Answer(202, secret, {"Content-Type": _JSON, "Location": f"deployments/{secret.deployment}"})


Route = Callable[[ApiCall, Aws, Clock], Answer[object]]


def respond(route: Route, call: ApiCall, aws: Aws, clock: Clock) -> Answer[object]:
    """The route's answer with its body as JSON values or text, or its error as an `ErrorBody`."""
    try:
        _refuse_repeated(call)
        refuse_old_client(call.headers.get(CLIENT_HEADER, ""))
        answer = route(call, aws, clock)
        return Answer(answer.status, body_of(answer.body), answer.headers)
    except RolloutError as error:
        status = _STATUS_BY_CODE.get(error.code) or _STATUS.get(type(error), 500)
        return Answer(status, encode(ErrorBody(_detail(error))))
    except Exception:
        # The error's text may hold what the caller must not see; the log has it.
        logging.getLogger(__name__).exception("unexpected error in the API")
        detail = ErrorDetail(
            code="InternalError",
            message="The control plane failed with an unexpected error.",
            remedy="Try again; if it stays, the log group /proxyctl/controlplane has the cause.",
        )
        return Answer(500, encode(ErrorBody(detail)))


def _refuse_repeated(call: ApiCall) -> None:
    for name in call.repeated:
        raise BadRequest(f"query parameter {name[:_ID_SHOWN]} stands twice", field=name, remedy="Send it once.")


def _detail(error: RolloutError) -> ErrorDetail:
    conflict = error if isinstance(error, Conflict) else None
    return ErrorDetail(
        code=error.code,
        message=error.message,
        field=error.field or None,
        remedy=error.remedy or None,
        holder=(conflict.holder or None) if conflict else None,
        deployment=(conflict.claimed_by or None) if conflict else None,
    )
