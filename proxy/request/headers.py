"""Which headers of a request go upstream: all but those of one connection, of the way, of the caller's identity."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from proxy import errors
from proxy.message import CONNECTION_HEADERS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from proxy.secret.schema import Upstream

# Not sent upstream: the caller's key, cookies and whereabouts; and what the proxy sets itself.
_DROPPED = CONNECTION_HEADERS | frozenset(
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
_DROPPED_PREFIXES = (
    "x-amz-",
    "x-amzn-",
    "x-forwarded-",
    "x-lambda-",
    "cloudfront-",
    "sec-",
    "access-control-",
)
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9a-z-]+").fullmatch
_BAD_VALUE = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]").search
_REQUEST_ID = re.compile(r"[A-Za-z0-9._:/=+-]{1,128}").fullmatch


def upstream_head(
    method: str,
    target: str,
    headers: Iterable[tuple[str, str]],
    length: int | None,
    upstream: Upstream,
    request_id: str,
) -> bytes:
    """The request's head as bytes. Raises ProxyError 400 for a header that is none."""
    lines = [f"{method} {target} HTTP/1.1\r\nhost: {_host(upstream)}\r\nauthorization: Bearer {upstream.api_key}\r\n"]
    organization, project = upstream.organization, upstream.project
    for name, value in headers:
        if name in _DROPPED or name.startswith(_DROPPED_PREFIXES):
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


def _host(upstream: Upstream) -> str:
    host = f"[{upstream.host}]" if ":" in upstream.host else upstream.host
    return host if upstream.port == (443 if upstream.scheme == "https" else 80) else f"{host}:{upstream.port}"


def valid_request_id(value: str) -> bool:
    """Whether a caller's correlation id is short and plain enough to log and to send on."""
    return _REQUEST_ID(value) is not None
