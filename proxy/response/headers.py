"""Which headers of an answer reach the caller."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxy.message import CONNECTION_HEADERS

if TYPE_CHECKING:
    from collections.abc import Iterable

_DROPPED = CONNECTION_HEADERS | {"x-request-id", "date"}
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


def downstream(headers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """The upstream's headers, lower case, for the caller; its request id under a name of its own."""
    passed = []
    for key, value in headers:
        if not value.isprintable():  # a folded line, which no door can hand on, or worse
            value = "".join(char if char >= " " and char != "\x7f" else " " for char in value)
        if key == "x-request-id":
            passed.append(("x-upstream-request-id", value))
        elif key not in _DROPPED and not key.startswith("access-control-"):
            passed.append((key, value))
    return passed


def exposed(headers: Iterable[tuple[str, str]]) -> str:
    """The value of access-control-expose-headers that shows a script all of these headers."""
    return ", ".join(dict.fromkeys(name for name, _ in headers if name not in _SAFELISTED))
