"""A call of the API, its answer, and how errors become bodies (design §3): no traceback ever leaves."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from chalicelib.domain.errors import AccessDenied, BadRequest, Conflict, NotFound, RolloutError, Throttled
from chalicelib.domain.model import Deployment
from chalicelib.domain.times import Clock
from chalicelib.ports import Aws

from .views import as_shown

_STATUS: dict[type[RolloutError], int] = {
    BadRequest: 400,
    NotFound: 404,
    Conflict: 409,
    AccessDenied: 502,
    Throttled: 503,
}
_ID = re.compile(r"[A-Za-z0-9-]{1,64}")
_ID_SHOWN = 80
_BODY_LIMIT = 256 * 1024  # more than any honest request; far below what Lambda takes


def _refused(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


@dataclass(frozen=True, slots=True)
class Call:
    """headers: names in lower case. caller: the ARN that API Gateway authenticated."""

    path: Mapping[str, str]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    caller: str

    @property
    def deployment_id(self) -> str:
        """The path's. Raises NotFound for what no deployment is ever called."""
        given = self.path["id"]
        if not _ID.fullmatch(given):
            raise NotFound(
                f"there is no deployment {given[:_ID_SHOWN]!r}",
                field="id",
                remedy="GET /deployments lists those that exist.",
            )
        return given

    def json(self) -> dict[str, Any]:
        """The body as a JSON object; BadRequest if it is anything else."""
        if len(self.body) > _BODY_LIMIT:
            raise BadRequest(f"the body is larger than {_BODY_LIMIT} bytes", field="body", remedy="Send less.")
        try:
            given = json.loads(self.body, parse_constant=_refused)
            json.dumps(given, ensure_ascii=False).encode()  # half a surrogate pair is JSON, and no text
        except RecursionError as error:
            raise BadRequest("the body is nested too deeply", field="body", remedy="Send a JSON object.") from error
        except ValueError as error:
            raise BadRequest(f"the body is not JSON: {error}", field="body", remedy="Send a JSON object.") from error
        if not isinstance(given, dict):
            raise BadRequest("the body is not a JSON object", field="body", remedy='Send {"environment": …}.')
        return given


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: Any
    headers: dict[str, str] = field(default_factory=lambda: {"Content-Type": "application/json"})


def accepted(deployment: Deployment) -> Answer:
    """202 with the deployment as it stands, and where to ask for it."""
    headers = {"Content-Type": "application/json", "Location": f"deployments/{deployment.id}"}
    return Answer(202, as_shown(deployment), headers)


Route = Callable[[Call, Aws, Clock], Answer]


def answered(route: Route, call: Call, aws: Aws, clock: Clock) -> Answer:
    """The route's answer, or its error as `{"error": {code, message, field?, remedy?}}`."""
    try:
        return route(call, aws, clock)
    except RolloutError as error:
        status = _STATUS.get(type(error), 500)
        extra = {key: value for key, value in error.evidence.items() if key in ("holder", "deployment")}
        return Answer(status, {"error": error.as_dict() | extra})
    except Exception:
        # Whatever it was, its text may hold what the caller must not see; the log has it.
        logging.getLogger(__name__).exception("the API met an error that it does not know")
        told = {
            "code": "InternalError",
            "message": "The control plane met an error that it does not know.",
            "remedy": "Try again; if it stays, the log group /proxyctl/controlplane has the cause.",
        }
        return Answer(500, {"error": told})
