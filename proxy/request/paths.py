"""From the path of a request to the path below the upstream's base URL, and no way around it."""

from __future__ import annotations

import re
from urllib.parse import unquote_plus

from proxy import errors

MAX_PATH = 2048
MAX_QUERY = 8192
SHORTEST_KEY = 8  # characters of a caller's key that is recognised wherever it stands
_CREDENTIALS = frozenset(
    [
        "api-key",
        "api_key",
        "api_token",
        "apikey",
        "access_token",
        "auth_token",
        "client_secret",
        "jwt",
        "key",
        "password",
        "subscription-key",
        "token",
        "x-api-key",
        "x-goog-api-key",
    ]
)
_PATH = re.compile(r"(?:/[A-Za-z0-9._~!$&'()*+,;=:@%-]*)+").fullmatch
_QUERY = re.compile(r"[A-Za-z0-9._~!$&'()*+,;=:@%/?\[\]-]*").fullmatch


def below_base(method: str, path: str, query: str) -> str:
    """`/v1/models?limit=2` or `/models?limit=2` → `/models?limit=2`. Raises ProxyError 400 or 404.

    Dot segments, encoded ones too, empty segments and anything that is no plain path are refused: the
    upstream must be asked for exactly what was logged, and nothing outside its base URL. An encoded slash passes in
    the name of a model only, which may have one and which SDKs encode.
    """
    if len(path) > MAX_PATH or len(query) > MAX_QUERY:
        raise errors.ProxyError(414, "The URL of the request is too long.", code="url_too_long")
    if not _PATH(path) or not _QUERY(query):
        raise errors.bad_request("The URL of the request has characters that must be percent-encoded.", "invalid_url")
    if path == "/v1" or path.startswith("/v1/"):
        path = path[3:]
    folded = path.lower().replace("%2e", ".")
    if path.startswith("/models/"):
        folded = folded.replace("%2f", "/")
    elif "%2f" in folded:
        raise errors.bad_request("Only the name of a model may have an encoded slash in a path.", "invalid_url")
    if "//" in folded or "/./" in folded + "/" or "/../" in folded + "/" or "%5c" in folded:
        raise errors.bad_request(
            "The path of the request must not have empty or dot segments, nor backslashes.", "invalid_url"
        )
    if path in ("", "/"):
        raise errors.not_found(method, path or "/v1")
    return f"{path}?{query}" if query else path


def without_credentials(path: str, caller_key: str) -> str:
    """A path below the base URL without query parameters that carry the caller's credentials."""
    plain, mark, query = path.partition("?")
    if not mark:
        return path
    passed = [part for part in query.split("&") if not _is_credential(part, caller_key)]
    return f"{plain}?{'&'.join(passed)}" if passed else plain


def _is_credential(part: str, caller_key: str) -> bool:
    name, _, value = part.partition("=")
    return unquote_plus(name).lower() in _CREDENTIALS or (
        len(caller_key) >= SHORTEST_KEY and unquote_plus(value) == caller_key
    )
