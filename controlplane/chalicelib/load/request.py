"""The bytes of the request that a load test repeats."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

RESIGN_S = 60.0  # a signature is valid for five minutes

Sign = Callable[[str, str, bytes], Mapping[str, str]]
"""Of method, URL and body: the headers of a SigV4 signature (`ports.Endpoint.sign`)."""


def build(method: str, url: str, headers: Mapping[str, str], body: bytes, sign: Sign | None) -> bytes:
    """A complete HTTP/1.1 request; unsigned without `sign`."""
    parts = urlsplit(url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    all_headers = {"host": parts.netloc, **headers}
    if body or method in ("POST", "PUT", "PATCH"):
        all_headers["content-length"] = str(len(body))
    if sign is not None:
        all_headers |= sign(method, url, body)
    lines = "".join(f"{name}: {value}\r\n" for name, value in all_headers.items())
    return f"{method} {target} HTTP/1.1\r\n{lines}\r\n".encode("latin-1") + body


def chat(model: str, *, stream: bool = False) -> bytes:
    """A short chat completion request: the load test measures the proxy, not the model."""
    content: dict[str, object] = {
        "model": model,
        "messages": [{"role": "user", "content": "Say hello in one word."}],
        "max_completion_tokens": 16,
    }
    return json.dumps({**content, "stream": True} if stream else content).encode()
