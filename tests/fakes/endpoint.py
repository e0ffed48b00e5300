"""`ports.endpoint` in memory: answers come from a function of the request."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from chalicelib.domain.aws.http import Reply


@dataclass(frozen=True)
class Sent:
    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes
    signed: bool
    public: bool = False


class FakeEndpoint:
    def __init__(self) -> None:
        self.sent: list[Sent] = []
        self.answer: Callable[[Sent], Reply] = lambda _sent: reply(200, {"status": "ok"})

    def call(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        *,
        signed: bool,
        timeout_s: float,
        public: bool = False,
    ) -> Reply:
        sent = Sent(method, url, dict(headers or {}), body, signed, public)
        self.sent.append(sent)
        return self.answer(sent)

    def sign(self, method: str, url: str, body: bytes) -> Mapping[str, str]:
        return {"authorization": "AWS4-HMAC-SHA256 fake"}


def reply(status: int, answer: Any, **headers: str) -> Reply:
    return Reply(
        status, {name.replace("_", "-"): value for name, value in headers.items()}, json.dumps(answer).encode(), 1.0
    )
