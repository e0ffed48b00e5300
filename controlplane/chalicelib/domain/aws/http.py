"""An HTTP answer as a value."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# The proxy puts it on every answer of its own; API Gateway's own 403, 429 and 5xx do not have it.
PROXY_HEADER = "x-proxy-overhead-ms"


def is_refused(status: int, headers: Mapping[str, str]) -> bool:
    """Whether API Gateway answered 429 itself: the stage's throttle, or Lambda's concurrency."""
    return status == 429 and PROXY_HEADER not in headers


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

    @property
    def is_refused(self) -> bool:
        """See the function of that name."""
        return is_refused(self.status, self.headers)

    def json(self) -> Any:
        """The body as JSON, None when it is none: a check must be able to look at any answer."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None
