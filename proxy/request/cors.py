"""Cross-origin answers for browsers (Fetch standard). Keys travel in headers, so credentials are never
allowed.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from proxy.response.headers import exposed

if TYPE_CHECKING:
    from proxy.message import Request
    from proxy.secret.schema import Config

_HEADER_LIST = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~ ,-]{1,2048}").fullmatch
_METHODS = "GET, POST, PUT, PATCH, DELETE, OPTIONS"


def allowed_origin(request: Request, config: Config | None) -> str:
    """What access-control-allow-origin says to this caller; empty when its origin is not allowed."""
    origin = request.header("origin")
    if not origin or config is None:
        return ""
    if origin in config.cors_origins:
        return origin
    return "*" if "*" in config.cors_origins else ""


def preflight_headers(request: Request, config: Config | None) -> list[tuple[str, str]]:
    """The headers that answer an OPTIONS request, besides the origin's."""
    headers = [("allow", _METHODS)]
    if not allowed_origin(request, config) or not request.header("access-control-request-method"):
        return headers
    wanted = request.header("access-control-request-headers")
    headers.append(("access-control-allow-methods", _METHODS))
    headers.append(("access-control-allow-headers", wanted if _HEADER_LIST(wanted) else "authorization, content-type"))
    headers.append(("access-control-max-age", "600"))
    return headers


def add_headers(headers: list[tuple[str, str]], request: Request, config: Config | None) -> None:
    """Let the caller's origin read this response, if the secret allows it."""
    if config is None or not config.cors_origins:
        return
    origin = allowed_origin(request, config)
    if origin:
        headers.append(("access-control-expose-headers", exposed(headers)))
        headers.append(("access-control-allow-origin", origin))
    if not any(name == "vary" and "origin" in value.lower() for name, value in headers):
        headers.append(("vary", "Origin"))
