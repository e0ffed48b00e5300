"""The bytes of the request that a load test repeats."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from chalicelib.ports import Endpoint

RESIGN_S = 60.0  # a signature is good for five minutes


def build(method: str, url: str, headers: Mapping[str, str], body: bytes, endpoint: Endpoint | None) -> bytes:
    """A whole HTTP/1.1 request in one piece, signed when there is an endpoint to sign it."""
    parts = urlsplit(url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    sent = {"host": parts.netloc, **headers}
    if body or method in ("POST", "PUT", "PATCH"):
        sent["content-length"] = str(len(body))
    if endpoint is not None:
        sent |= endpoint.sign(method, url, body)
    lines = "".join(f"{name}: {value}\r\n" for name, value in sent.items())
    return f"{method} {target} HTTP/1.1\r\n{lines}\r\n".encode("latin-1") + body


def chat(model: str, *, stream: bool = False) -> bytes:
    """A short question: what is measured is the way, not the model."""
    asked: dict[str, Any] = {
        "model": model,
        "messages": [{"role": "user", "content": "Say hello in one word."}],
        "max_completion_tokens": 16,
    }
    return json.dumps({**asked, "stream": True} if stream else asked).encode()
