"""Which headers of a request go upstream: all but those of one connection, of the way, of the caller's identity."""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING

from proxy import errors
from proxy.http.head import connection_options
from proxy.message import CONNECTION_HEADERS
from proxy.request.paths import SHORTEST_KEY

if TYPE_CHECKING:
    from proxy.secret.schema import Upstream

    Fields = tuple[tuple[str, str], ...]

# Not sent upstream: the caller's cookies and whereabouts; and what the proxy sets itself.
_DROPPED = CONNECTION_HEADERS | frozenset(
    [
        "host",
        "content-length",
        "expect",
        "cookie",
        "cookie2",
        "origin",
        "referer",
        "forwarded",
        "via",
        "client-ip",
        "true-client-ip",
        "fastly-client-ip",
        "x-real-ip",
        "x-client-ip",
        "x-cluster-client-ip",
        "client-cert",
        "client-cert-chain",
        "remote-user",
        "signature-input",
        "x-remote-user",
        "x-request-id",
        "accept-encoding",
        "http2-settings",
        "max-forwards",
        "x-http-method-override",
    ]
)
_DROPPED_PREFIXES = (
    "x-amz-",
    "x-amzn-",
    "x-forwarded-",
    "x-lambda-",
    "x-original-",
    "x-ms-client-principal",
    "x-webauth-",
    "x-goog-authenticated-",
    "x-tailscale-",
    "tailscale-",
    "x-appengine-",
    "x-azure-client",
    "x-azure-socket",
    "x-envoy-external-",
    "cf-access-",
    "cf-connecting-",
    "cf-ip",
    "cf-pseudo-",
    "cf-ray",
    "cf-visitor",
    "cf-worker",
    "cloudfront-",
    "fly-",
    "ssl-client-",
    "x-client-cert",
    "x-ssl-",
    "sec-",
    "access-control-",
)
# Names of headers that carry credentials: each provider and gateway has its own, and nearly all call them a key or a
# token. Other things are called a key, too.
_is_credential = re.compile(
    r"(?<![a-z0-9])[a-z0-9]*(?:"
    r"(?<!cache)(?<!idempotency)(?<!partition)(?<!routing)(?<!shard)(?<!cache[-_])(?<!idempotency[-_])"
    r"(?<!partition[-_])(?<!routing[-_])(?<!shard[-_])keys?"
    r"|token|secret|credentials?|passwd|password|passphrase|dpop|otp|jwt|bearer|authentication|authorization|signature|bypass"
    r")(?![a-z0-9])"
    r"|(?<![a-z0-9])(?:auth|pat|vk)(?![a-z0-9])"
).search
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9a-z-]+").fullmatch
_BAD_VALUE = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]").search
_REQUEST_ID = re.compile(r"[A-Za-z0-9._:/=+-]{1,128}").fullmatch


def upstream_head(
    line: str, headers: Fields, length: int | None, upstream: Upstream, request_id: str, caller_key: str = ""
) -> bytes:
    """The request's head as bytes; `line` is its method and target. Raises ProxyError 400 for a header that is none."""
    lines = [f"{line} HTTP/1.1\r\nhost: {_host(upstream)}\r\n{_authorization(upstream)}\r\n"]
    own = {"openai-organization": upstream.organization, "openai-project": upstream.project}
    for name, value in passing(headers, caller_key):
        own.pop(name, None)
        lines.append(f"{name}: {value}\r\n")
    lines += [f"{name}: {value}\r\n" for name, value in own.items() if value]
    if length is not None:
        lines.append(f"content-length: {length}\r\n")
    # No compression: the proxy reads token counts on the way, and a stream must not wait for a full block.
    lines.append(f"accept-encoding: identity\r\nx-request-id: {request_id}\r\n\r\n")
    try:
        return "".join(lines).encode("latin-1")
    except UnicodeEncodeError:
        raise _invalid() from None


def passing(headers: Fields, caller_key: str) -> Fields:
    """The caller's headers that go upstream. Raises ProxyError 400 for one that is none."""
    named = connection_options(list(headers))
    key = caller_key if len(caller_key) >= SHORTEST_KEY else "\n"  # which no value has
    passed = []
    for name, value in headers:
        passes = _passes(name)
        if passes is False or name in named:
            continue
        if passes is None or _BAD_VALUE(value):
            raise _invalid()
        if key not in value:
            passed.append((name, value))
    return tuple(passed)


@functools.lru_cache(maxsize=512)  # callers send the same few names again and again
def _passes(name: str) -> bool | None:
    """Whether a header of this name may go up; None for a name that is none."""
    if name in _DROPPED or name.startswith(_DROPPED_PREFIXES) or _is_credential(name):
        return False
    return True if _NAME(name) else None


def _authorization(upstream: Upstream) -> str:
    if upstream.auth == "api-key":
        return f"api-key: {upstream.api_key}"
    return f"authorization: Bearer {upstream.api_key}"


def _host(upstream: Upstream) -> str:
    host = f"[{upstream.host}]" if ":" in upstream.host else upstream.host
    return host if upstream.port == (443 if upstream.scheme == "https" else 80) else f"{host}:{upstream.port}"


def _invalid() -> errors.ProxyError:
    return errors.bad_request("A header of the request has an invalid name or value.", "invalid_header")


def valid_request_id(value: str) -> bool:
    """Whether a caller's correlation id is short and plain enough to log and to send on."""
    return _REQUEST_ID(value) is not None
