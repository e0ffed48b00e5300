"""Which headers pass: everything but what belongs to one connection, to the way here, or to the caller's
identity.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from proxy import errors

if TYPE_CHECKING:
    from collections.abc import Iterable

    from proxy.config import Config

_HOP = frozenset(
    [
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    ]
)
# Not sent upstream: the caller's key, cookies and whereabouts; and what the proxy sets itself.
_NOT_UP = _HOP | frozenset(
    [
        "host",
        "content-length",
        "expect",
        "authorization",
        "x-api-key",
        "cookie",
        "origin",
        "referer",
        "forwarded",
        "via",
        "x-real-ip",
        "x-request-id",
        "accept-encoding",
    ]
)
_NOT_UP_PREFIXES = (
    "x-amz-",
    "x-amzn-",
    "x-forwarded-",
    "x-lambda-",
    "cloudfront-",
    "sec-",
    "access-control-",
)
_NOT_DOWN = _HOP | {"x-request-id", "date"}
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9a-z-]+").fullmatch
_BAD_VALUE = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]").search
_REQUEST_ID = re.compile(r"[A-Za-z0-9._:/=+-]{1,128}").fullmatch
# What a browser lets a script read without being told (Fetch standard, CORS-safelisted response headers).
_SAFELISTED = frozenset(
    [
        "cache-control",
        "content-language",
        "content-length",
        "content-type",
        "expires",
        "last-modified",
        "pragma",
    ]
)


def upstream_head(
    method: str,
    target: str,
    headers: Iterable[tuple[str, str]],
    length: int | None,
    config: Config,
    request_id: str,
) -> bytes:
    """The request's head as bytes. Raises ProxyError 400 for a header that is none."""
    host = f"[{config.host}]" if ":" in config.host else config.host
    if config.port != (443 if config.scheme == "https" else 80):
        host = f"{host}:{config.port}"
    lines = [f"{method} {target} HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {config.api_key}\r\n"]
    organization, project = config.organization, config.project
    for name, value in headers:
        if name in _NOT_UP or name.startswith(_NOT_UP_PREFIXES):
            continue
        if not _NAME(name) or _BAD_VALUE(value):
            raise errors.bad_request("A header of the request has an invalid name or value.", "invalid_header")
        if name == "openai-organization":
            organization = ""
        elif name == "openai-project":
            project = ""
        lines.append(f"{name}: {value}\r\n")
    if organization:
        lines.append(f"openai-organization: {organization}\r\n")
    if project:
        lines.append(f"openai-project: {project}\r\n")
    if length is not None:
        lines.append(f"content-length: {length}\r\n")
    # No compression: the proxy reads token counts on the way, and a stream must not wait for a full block.
    lines.append(f"accept-encoding: identity\r\nx-request-id: {request_id}\r\n\r\n")
    try:
        return "".join(lines).encode("latin-1")
    except UnicodeEncodeError:
        raise errors.bad_request("A header of the request has an invalid name or value.", "invalid_header") from None


def downstream(headers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """The upstream's headers, lower case, for the caller; its request id under a name of its own."""
    kept = []
    for key, value in headers:
        if not value.isprintable():  # a folded line, which no door can hand on, or worse
            value = "".join(char if char >= " " and char != "\x7f" else " " for char in value)
        if key == "x-request-id":
            kept.append(("x-upstream-request-id", value))
        elif key not in _NOT_DOWN and not key.startswith("access-control-"):
            kept.append((key, value))
    return kept


def valid_request_id(value: str) -> bool:
    """Whether a caller's correlation id is short and plain enough to log and to send on."""
    return _REQUEST_ID(value) is not None


def exposed(headers: Iterable[tuple[str, str]]) -> str:
    """The value of access-control-expose-headers that shows a script all of these headers."""
    return ", ".join(dict.fromkeys(name for name, _ in headers if name not in _SAFELISTED))
