"""Checks of the single values in a secret; schema.py puts them together. Standard library only.

Every check takes the value and `where` (its place, for example `models.fast.target`) and raises SecretError.
"""

from __future__ import annotations

import json
import re
import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

DOCUMENT = "(document)"  # the field of an error about the document as a whole
MAX_NAME = 256  # characters of a model's name
SINCE_SCHEMA_2 = {"upstreams", "auth", "query", "upstream", "models", "requests_per_minute", "expires"}
# A host that a resolver takes (labels of 1 to 63 characters) and a path that a request line takes as it stands.
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_BASE_URL = (
    rf"(?i:(https?))://({_LABEL}(?:\.{_LABEL})*|\[[0-9A-Fa-f:.]+\])(?::([0-9]{{1,5}}))?((?:/[A-Za-z0-9._~%-]*)*)"
)
_ORIGIN = r"[a-z][a-z0-9+.-]*://(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?"
_QUERY_TEXT = r"[A-Za-z0-9._~:-]{1,128}"
_TIME = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:Z|[+-][0-9]{2}:[0-9]{2})"


class SecretError(ValueError):
    """A secret breaks a rule. `field`: where; `must`: the rule; `remedy`: what to do. None of them holds a value."""

    def __init__(self, field: str, must: str, remedy: str = "") -> None:
        # A field's name comes from the document and may hold anything, lone surrogates too.
        self.field = (field if field.isprintable() else ascii(field))[:MAX_NAME]
        self.must = must
        self.remedy = remedy or f"Correct {self.field} and store the secret again."
        super().__init__(f"{'the secret' if field == DOCUMENT else self.field} {must}")


def parse_json(text: str | bytes, refuse_constant: Callable[[str], object] | None = None) -> object:
    """The value in a JSON text. refuse_constant: called for NaN and infinities.

    Raises ValueError, RecursionError, and SecretError for an object that names a field twice: parsers disagree on which
    of the two counts.
    """
    return _unambiguous(json.loads(text, object_pairs_hook=tuple, parse_constant=refuse_constant), "")


def _unambiguous(value: object, where: str) -> object:
    """The value with dicts in place of its tuples of (name, value)."""
    if isinstance(value, list):
        return [_unambiguous(item, f"{where}[{index}]") for index, item in enumerate(value)]
    if not isinstance(value, tuple):
        return value
    fields: dict[str, object] = {}
    for name, item in value:
        path = f"{where}.{name}" if where else name
        if name in fields:
            raise SecretError(path, "stands twice", "Remove one of the two.")
        fields[name] = _unambiguous(item, path)
    return fields


def json_object(value: object, where: str) -> dict[str, object]:
    """A JSON object."""
    if not isinstance(value, dict):
        raise SecretError(where, "must be an object")
    return value


def optional_object(raw: Mapping[str, object], name: str) -> dict[str, object]:
    """The object in a field; empty where the field is absent or null."""
    return {} if raw.get(name) is None else json_object(raw[name], name)


def optional_list(raw: Mapping[str, object], name: str, where: str) -> list[object]:
    """The list in a field; empty where the field is absent or null."""
    value = [] if raw.get(name) is None else raw[name]
    if not isinstance(value, list):
        raise SecretError(where, "must be a list")
    return value


def check_names(raw: Mapping[str, object], names: set[str], under: str) -> None:
    """Refuse the first field, in order of names, that is not one of `names`."""
    for name in sorted(raw.keys() - names):
        hint = ' It needs "schema": 2.' if name in SINCE_SCHEMA_2 else ""
        remedy = f"Remove it; known here are {', '.join(sorted(names))}.{hint}"
        raise SecretError(f"{under}{name}", "is not known", remedy)


def header_text(value: object, where: str, *, may_be_empty: bool = False) -> str:
    """Printable ASCII without spaces, which may be sent as a header."""
    if not isinstance(value, str) or not (value or may_be_empty):
        raise SecretError(where, "must be a non-empty string")
    # It is sent as a header: a line break in it would be a second header.
    if not value.isascii() or (value and not value.isprintable()) or " " in value:
        raise SecretError(where, "must be printable ASCII without spaces")
    return value


def name(value: object, where: str, longest: int) -> str:
    """A printable text of at most `longest` characters."""
    # Printable leaves out line breaks and lone surrogates, which no log line and no request can carry.
    if isinstance(value, str) and len(value) <= longest and value.isprintable() and value.strip():
        return value
    raise SecretError(where, f"must be a printable text of 1 to {longest} characters")


def base_url(url: object, where: str) -> tuple[str, str, int, str]:
    """(scheme, host, port, path) of a URL; plain http only to this machine."""
    # Not by urlsplit, which drops line breaks and tabs. Compiled here, once a secret: most have no base_url.
    match = re.fullmatch(_BASE_URL, url) if isinstance(url, str) else None
    if match is None:
        raise SecretError(where, "must be http(s)://host[:port]/path and nothing more")
    scheme, host, path = match[1].lower(), match[2].lower().strip("[]"), match[4].rstrip("/")
    port = int(match[3] or (443 if scheme == "https" else 80))
    if len(host) > 253 or (match[2].startswith("[") and not _is_ipv6(host)):
        raise SecretError(where, "has a host that is none")
    if not 0 < port < 65_536:
        raise SecretError(where, "has a port that is not between 1 and 65535")
    if {".", ".."} & set(re.sub("%2e", ".", path, flags=re.IGNORECASE).split("/")):
        raise SecretError(where, "must not have dot segments in its path")
    if scheme == "http" and not is_loopback(host):
        raise SecretError(where, "must be https: over http the key would travel in the clear (only loopback may)")
    return scheme, host, port, path


def _is_ipv6(host: str) -> bool:
    try:
        socket.inet_pton(socket.AF_INET6, host)
    except OSError:
        return False
    return True


def is_loopback(host: str) -> bool:
    """Whether a host, in lower case and without brackets, is this machine."""
    # Only digits after 127: a host may be named 127.example.com.
    return host in ("localhost", "::1") or (host.startswith("127.") and host.replace(".", "").isdigit())


def query(value: object, where: str) -> str:
    """A query string from an object of plain texts; empty where there is none."""
    if value is None:
        return ""
    texts = json_object(value, where)
    for name, text in texts.items():
        if not re.fullmatch(_QUERY_TEXT, name) or not isinstance(text, str) or not re.fullmatch(_QUERY_TEXT, text):
            raise SecretError(where, "must map plain names to plain texts (letters, digits, . _ ~ : -)")
    return "&".join(f"{name}={text}" for name, text in texts.items())


def number(value: object, where: str, most: float, unit: str) -> float:
    """A number above 0 and at most `most`."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value <= most:
        raise SecretError(where, f"must be a number of {unit} above 0 and at most {most:g}")
    return float(value)


def whole_number(value: object, where: str, least: int, most: int) -> int:
    """A whole number of a range."""
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise SecretError(where, f"must be a whole number from {least} to {most}")
    return value


def names(raw: list[object], where: str) -> tuple[str, ...]:
    """A list of model names."""
    return tuple(name(value, f"{where}[{index}]", MAX_NAME) for index, value in enumerate(raw))


def moment(value: object, where: str) -> float | None:
    """Seconds since the epoch of an RFC 3339 time; None where there is none."""
    if value is None:
        return None
    if isinstance(value, str) and re.fullmatch(_TIME, value):
        from datetime import datetime  # 2 ms of a cold start, which most secrets need not pay

        try:
            return datetime.fromisoformat(value).timestamp()
        except (ValueError, OverflowError):
            pass
    raise SecretError(where, "must be a time with its zone, such as 2027-01-31T00:00:00Z")


def origins(raw: list[object]) -> tuple[str, ...]:
    """Origins of browsers, or '*'."""
    # An Origin header is compared with it as it stands: what no browser sends would never match.
    for index, origin in enumerate(raw):
        if origin != "*" and not (isinstance(origin, str) and re.fullmatch(_ORIGIN, origin)):
            raise SecretError(f"cors_origins[{index}]", "must be '*' or scheme://host[:port] without a path")
    return tuple(str(origin) for origin in raw)
