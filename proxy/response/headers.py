"""Which headers of an answer reach the caller: not those of a connection, the upstream's origin or the proxy."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from proxy.http.head import connection_options
from proxy.message import CONNECTION_HEADERS

if TYPE_CHECKING:
    from proxy.response.mask import Mask

    Fields = list[tuple[str, str]]

# They bind a browser to the upstream's own origin, or describe it: the caller talks with another one.
_OF_THE_ORIGIN = frozenset(
    [
        "accept-ch",
        "activate-storage-access",
        "alt-svc",
        "alt-used",
        "clear-site-data",
        "content-security-policy",
        "content-security-policy-report-only",
        "critical-ch",
        "cross-origin-embedder-policy",
        "cross-origin-embedder-policy-report-only",
        "cross-origin-opener-policy",
        "cross-origin-opener-policy-report-only",
        "cross-origin-resource-policy",
        "document-policy",
        "expect-ct",
        "feature-policy",
        "host",
        "integrity-policy",
        "integrity-policy-report-only",
        "large-allocation",
        "link",
        "nel",
        "no-vary-search",
        "observe-browsing-topics",
        "origin-agent-cluster",
        "origin-trial",
        "permissions-policy",
        "public-key-pins",
        "public-key-pins-report-only",
        "referrer-policy",
        "refresh",
        "report-to",
        "reporting-endpoints",
        "secure-session-registration",
        "server-timing",
        "service-worker-allowed",
        "set-cookie",
        "set-cookie2",
        "set-login",
        "sourcemap",
        "speculation-rules",
        "strict-transport-security",
        "supports-loading-mode",
        "timing-allow-origin",
        "tk",
        "upgrade-insecure-requests",
        "use-as-dictionary",
        "x-dns-prefetch-control",
        "x-frame-options",
        "x-permitted-cross-domain-policies",
        "x-sourcemap",
        "x-ua-compatible",
        "x-xss-protection",
    ]
)
# The proxy sends its own.
_OF_THE_PROXY = frozenset(["x-request-id", "x-upstream-request-id", "date"])
_DROPPED = CONNECTION_HEADERS | _OF_THE_ORIGIN | _OF_THE_PROXY
_DROPPED_PREFIXES = ("access-control-", "attribution-reporting-", "sec-", "x-proxy-")
_ONCE = frozenset(["content-length", "content-type", "location"])
# What a browser lets a script read without permission (Fetch standard, CORS-safelisted response headers).
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


def downstream(fields: Fields, mask: Mask) -> Fields:
    """The upstream's headers, names in lower case, for the caller; its request id under a name of its own."""
    named = connection_options(fields)
    chunked = any(name == "transfer-encoding" for name, _ in fields)
    passed: Fields = []
    names: set[str] = set()
    for name, value in fields:
        if not _passes(name) or name in named:
            continue
        if (name in _ONCE and name in names) or (chunked and name == "content-length"):
            continue
        names.add(name)
        passed.append((name, mask.text(_printable(value))))
    return passed + _request_id(fields, mask)


@functools.lru_cache(maxsize=512)  # upstreams send the same few names again and again
def _passes(name: str) -> bool:
    return name not in _DROPPED and not name.startswith(_DROPPED_PREFIXES)


def _request_id(fields: Fields, mask: Mask) -> Fields:
    ids = [("x-upstream-request-id", mask.text(_printable(value))) for name, value in fields if name == "x-request-id"]
    return ids[:1]


def _printable(value: str) -> str:
    """A value that every door can hand on, whatever control characters the upstream sent."""
    if value.isprintable():
        return value
    return "".join(char if char >= " " and char != "\x7f" else " " for char in value)


def exposed(headers: Fields) -> str:
    """The value of access-control-expose-headers that shows a script all of these headers."""
    return ", ".join(dict.fromkeys(name for name, _ in headers if name not in _SAFELISTED))
