"""Calls of the API, as app.py would make them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from chalicelib.api.answers import Answer, ApiCall, Route, respond

from . import FakeAws

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
ANN = "arn:aws:iam::1:user/ann"


def ask(
    aws: FakeAws,
    route: Route,
    body: Any = None,
    *,
    key: str | None = None,
    now: datetime = NOW,
    caller: str = ANN,
    query: dict[str, str] | None = None,
    headers: dict[str, str] | None = None,
    **path: str,
) -> Answer[Any]:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    sent = (headers or {}) | ({"idempotency-key": key} if key is not None else {})
    return respond(route, ApiCall(path, query or {}, sent, raw, caller), aws.as_aws(), lambda: now)


def error(answer: Answer[Any]) -> dict[str, Any]:
    reported: dict[str, Any] = answer.body["error"]
    return reported
