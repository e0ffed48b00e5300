"""Calls of the API, as app.py would make them."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from chalicelib.api.answers import Answer, Call, answered
from chalicelib.domain.times import Clock
from chalicelib.ports import Aws

from . import FakeAws

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
ANN = "arn:aws:iam::1:user/ann"
Route = Callable[[Call, Aws, Clock], Answer]


def ask(
    aws: FakeAws,
    route: Route,
    body: Any = None,
    *,
    key: str | None = None,
    now: datetime = NOW,
    caller: str = ANN,
    query: dict[str, str] | None = None,
    **path: str,
) -> Answer:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"idempotency-key": key} if key is not None else {}
    return answered(route, Call(path, query or {}, headers, raw, caller), aws.as_aws(), lambda: now)


def error(answer: Answer) -> dict[str, Any]:
    told: dict[str, Any] = answer.body["error"]
    return told
