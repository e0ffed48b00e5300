"""Log lines as the proxy writes them."""

from __future__ import annotations

import json
from typing import Any

from chalicelib.domain.aws.logs import LogLine

STREAM = "2026/11/26/proxyctl-dev-proxy[7]0123456789abcdef"


def line(at_ms: int = 5_900, stream: str = STREAM, namespace: str = "proxyctl", **metrics: Any) -> LogLine:
    """A request's line with these metrics beside `Requests` and `Errors`."""
    emf = {"CloudWatchMetrics": [{"Namespace": namespace}]}
    return LogLine(stream, at_ms, json.dumps({"Requests": [1.0], "Errors": [0.0], **metrics, "_aws": emf}))
