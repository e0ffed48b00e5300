"""Errors of the proxy itself, in the shape of OpenAI's: {"error": {"message", "type", "param", "code"}}.

Statuses, types and codes follow OpenAI's guide to error codes, so that an SDK raises the class it would raise
against OpenAI. Codes that OpenAI does not have say what failed between the proxy and its upstream.
"""

from __future__ import annotations

import json
import math


class ProxyError(Exception):
    """An answer that the proxy gives in the upstream's stead."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str | None = None,
        kind: str = "invalid_request_error",
        param: str | None = None,
        headers: tuple[tuple[str, str], ...] = (),
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code
        self.kind = kind
        self.param = param
        self.headers = headers

    @property
    def is_callers(self) -> bool:
        """Whether the caller caused it although the status is a server's: it wants what this proxy does not have."""
        return self.status in (501, 505)

    def body(self) -> bytes:
        """The JSON body, encoded."""
        return error_body(self.message, self.kind, self.code, self.param)


def error_body(message: str, kind: str, code: str | None, param: str | None = None) -> bytes:
    """OpenAI's error object as JSON bytes."""
    fields = {"message": message, "type": kind, "param": param, "code": code}
    return json.dumps({"error": fields}).encode()


def bad_request(message: str, code: str | None = None, param: str | None = None) -> ProxyError:
    """400: the request cannot be understood."""
    return ProxyError(400, message, code=code, param=param)


def not_released() -> ProxyError:
    """503: the stack stands, but no release has passed its checks yet."""
    return ProxyError(
        503,
        "This environment has no release yet: nothing that was not checked is served.",
        code="not_released",
        kind="server_error",
    )


def missing_key() -> ProxyError:
    """401 for a request without a key, as OpenAI words it."""
    return ProxyError(
        401,
        "You didn't provide an API key. You need to provide your API key in an Authorization header using "
        "Bearer auth (i.e. Authorization: Bearer YOUR_KEY).",
        headers=(("www-authenticate", "Bearer"),),
    )


def wrong_key() -> ProxyError:
    """401 for an unknown key. OpenAI echoes parts of the key; this does not."""
    return ProxyError(
        401,
        "Incorrect API key provided. Ask the operator of this proxy for a key.",
        code="invalid_api_key",
        headers=(("www-authenticate", 'Bearer error="invalid_token"'),),
    )


def expired_key() -> ProxyError:
    """401 for a key whose time is over."""
    return ProxyError(
        401,
        "This API key has expired. Ask the operator of this proxy for a new one.",
        code="expired_api_key",
        headers=(("www-authenticate", 'Bearer error="invalid_token"'),),
    )


def model_not_allowed(model: str) -> ProxyError:
    """403 as OpenAI words it for a project that may not use a model."""
    name = f"the model `{model[:256]}`" if model else "requests that name no model"
    return ProxyError(
        403,
        f"This API key does not have access to {name}. Ask the operator of this proxy.",
        code="model_not_allowed",
        param="model",
    )


def rate_limited(rate: float, wait_s: float) -> ProxyError:
    """429 with the time after which one more request is allowed."""
    return ProxyError(
        429,
        f"Rate limit reached for this API key: {rate:g} requests a minute. Try again in {wait_s:.3g} s.",
        code="rate_limit_exceeded",
        kind="requests",
        headers=(("retry-after", str(max(1, math.ceil(wait_s)))), ("retry-after-ms", str(math.ceil(wait_s * 1000)))),
    )


def foreign_page(reason: str) -> ProxyError:
    """403: a web page that the operator did not allow has sent the request."""
    return ProxyError(
        403,
        f"{reason} Without client keys only programs of this machine and the origins in cors_origins are served.",
        code="origin_not_allowed",
    )


def unsupported_encoding(name: str, supported: str) -> ProxyError:
    """415 that names the content coding and those that work."""
    return ProxyError(
        415,
        f"The content-encoding {name[:64]} is not supported: send the body as it is, or with gzip or deflate.",
        code="unsupported_content_encoding",
        headers=(("accept-encoding", supported),),
    )


def no_web_socket() -> ProxyError:
    """426 for a WebSocket upgrade, naming what works: with this status clients such as Codex go on over HTTP."""
    return ProxyError(
        426,
        'WebSockets are not supported here. Send a POST over HTTP, with "stream": true to get server-sent events.',
        code="websocket_not_supported",
        headers=(("upgrade", "HTTP/1.1"),),
    )


def not_found(method: str, path: str) -> ProxyError:
    """404 in OpenAI's words."""
    return ProxyError(404, f"Invalid URL ({method} {path})", code="unknown_url")


def wrong_method(method: str, allowed: tuple[str, ...]) -> ProxyError:
    """405 with the methods that there are (RFC 9110 §15.5.6)."""
    return ProxyError(
        405,
        f"Not allowed to {method[:16]} here.",
        code="method_not_allowed",
        headers=(("allow", ", ".join(allowed)),),
    )


def too_large(size: int, limit: int) -> ProxyError:
    """413 before Lambda's own limit would end the invocation without an answer."""
    return ProxyError(
        413,
        f"Request body of {size} bytes is larger than the {limit} bytes that this endpoint accepts. "
        "Send less at once, or upload large content in parts (/v1/uploads).",
        code="request_too_large",
    )


def response_too_large(limit: int) -> ProxyError:
    """502: the answer does not fit through a buffered door."""
    return ProxyError(
        502,
        f"The upstream's answer is larger than the {limit} bytes that a buffered endpoint can return. "
        "Use an endpoint in stream mode, or ask for less at once.",
        code="response_too_large",
        kind="server_error",
        headers=(("x-should-retry", "false"),),
    )


def upstream_failed(code: str, message: str) -> ProxyError:
    """502 or 504: the upstream could not be reached, or did not answer in time."""
    status = 504 if code.endswith("_timeout") else 502
    return ProxyError(status, message, code=code, kind="server_error")


def too_busy() -> ProxyError:
    """503: as many connections as descriptors allow are being answered."""
    return ProxyError(
        503,
        "The proxy answers as many callers as it can at a time. Try again in a moment.",
        code="too_many_connections",
        kind="server_error",
        headers=(("retry-after", "1"),),
    )


def internal() -> ProxyError:
    """500: a bug of the proxy kept the request from its answer."""
    return ProxyError(500, "The proxy failed to answer this request.", code="internal_error", kind="server_error")


def unavailable(message: str) -> ProxyError:
    """503: the proxy has no usable configuration."""
    return ProxyError(503, message, code="proxy_not_ready", kind="server_error", headers=(("retry-after", "1"),))
