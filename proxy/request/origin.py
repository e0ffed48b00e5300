"""Keeps web pages away from a local proxy that asks for no key: any page may send requests to 127.0.0.1."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from proxy import errors
from proxy.secret.schema import is_loopback

if TYPE_CHECKING:
    from proxy.message import Request
    from proxy.secret.schema import Config

_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^:\[\]]*)(?::[0-9]*)?").fullmatch


def check_origin(request: Request, config: Config) -> None:
    """Refuse what a foreign web page has sent. Raises ProxyError 403.

    By Origin (or, without one, Sec-Fetch-Site), unless `cors_origins` of the secret has it. And by Host: a page whose
    own name was rebound to 127.0.0.1 is of the same origin for the browser.
    """
    if not request.local or config.client_keys:
        return
    origin = request.header("origin")
    if not _is_own(request.header("host")):
        raise errors.foreign_page("The Host header names another machine than this one.")
    allowed = "*" in config.cors_origins or origin in config.cors_origins
    is_foreign = origin if origin else request.header("sec-fetch-site") in ("cross-site", "same-site")
    if is_foreign and not allowed:
        raise errors.foreign_page("The secret's cors_origins does not have the Origin of the request.")


def _is_own(host: str) -> bool:
    if not host:  # HTTP/1.0, which no browser speaks
        return True
    match = _HOST(host)
    return match is not None and is_loopback(match[1].strip("[]").lower())
