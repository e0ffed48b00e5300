"""HTTP as a user of the proxy speaks it, with or without the signature that an IAM route asks for."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back. Header names are lower case; several of one name are joined with ", ".

    elapsed_ms: from before connecting until the last byte; first_byte_ms: until the headers were there.
    cut: empty for a whole answer; else why the body ended before its end (its bytes so far are in `body`).
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    elapsed_ms: float
    first_byte_ms: float = 0.0
    cut: str = ""

    def json(self) -> Any:
        """The body as JSON, None when it is none: a check must be able to look at any answer."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None


class Endpoint(Protocol):
    """One request, one connection: checks must not profit from each other's warm connections."""

    def call(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        *,
        signed: bool,
        timeout_s: float,
    ) -> Reply:
        """Send and read to the end, `timeout_s` for all of it.

        Raises AwsCallFailed when no status line came; its evidence has `kind`: connect, timeout, dropped
        or protocol.
        """
        ...

    def sign(self, method: str, url: str, body: bytes) -> Mapping[str, str]:
        """The headers to add so that API Gateway knows the caller's role (SigV4, service execute-api)."""
        ...
