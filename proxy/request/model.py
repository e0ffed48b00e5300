"""Finds the model that a request names, and exchanges it without touching any other byte.

A JSON body is walked at its top level only, with the standard library's scanner, so that key order, number
formats and white space reach the upstream as they were; in a multipart form the part called `model` is
exchanged.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from json.decoder import WHITESPACE, JSONDecoder, scanstring  # type: ignore[attr-defined]

from proxy import errors

_scan_once = JSONDecoder().scan_once  # type: ignore[attr-defined]
_skip = WHITESPACE.match
_NAME = re.compile(rb'name="model"', re.IGNORECASE)
_UNPARSABLE = (
    "We could not parse the JSON body of your request. The API expects a JSON payload, but what was sent "
    "was not valid JSON."
)


@dataclass(frozen=True, slots=True)
class NamedModel:
    """A model named in a body: `before` and `after` are the bytes around its value."""

    name: str
    before: bytes
    after: bytes
    quoted: bool  # a JSON string, not plain text of a form

    def body(self, name: str) -> bytes:
        """The body with another model's name."""
        value = json.dumps(name).encode() if self.quoted else name.encode()
        return self.before + value + self.after


def find_model(content_type: str, body: bytes) -> NamedModel | None:
    """The model that the body names, or None. Raises ProxyError 400 when it calls itself JSON and is not."""
    if not body:
        return None
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "application/json" or kind.endswith("+json"):
        return _in_json(body)
    if kind == "multipart/form-data":
        return _in_form(content_type, body)
    return None


def _in_json(body: bytes) -> NamedModel | None:
    try:
        text = body.decode()
        place = _walk(text)
    except (ValueError, StopIteration, RecursionError, IndexError):
        raise errors.bad_request(_UNPARSABLE) from None
    if place is None:
        return None
    start, end, name = place
    return NamedModel(name, text[:start].encode(), text[end:].encode(), quoted=True)


def _walk(text: str) -> tuple[int, int, str] | None:
    """Where the value of the last top-level "model" starts and ends, if it is a string. Reads all of the
    text.
    """
    at = _skip(text, 0).end()
    if text[at] != "{":
        _, at = _scan_once(text, at)
        return _ended(text, at, None)
    place = None
    at = _skip(text, at + 1).end()
    if text[at] == "}":
        return _ended(text, at + 1, None)
    while True:
        if text[at] != '"':
            raise ValueError("a name must be a string")
        key, at = scanstring(text, at + 1, True)
        at = _skip(text, at).end()
        if text[at] != ":":
            raise ValueError("a colon must follow a name")
        start = _skip(text, at + 1).end()
        value, at = _scan_once(text, start)
        if key == "model":
            place = (start, at, value) if isinstance(value, str) else None
        at = _skip(text, at).end()
        if text[at] == "}":
            return _ended(text, at + 1, place)
        if text[at] != ",":
            raise ValueError("a comma must follow a value")
        at = _skip(text, at + 1).end()


def _ended(text: str, at: int, place: tuple[int, int, str] | None) -> tuple[int, int, str] | None:
    if _skip(text, at).end() != len(text):
        raise ValueError("text after the value")
    return place


def _in_form(content_type: str, body: bytes) -> NamedModel | None:
    match = re.search(r'boundary="?([^";]+)"?', content_type, re.IGNORECASE)
    if match is None:
        return None
    delimiter = b"--" + match.group(1).encode("latin-1", "replace")  # what is no latin-1 is refused as a header
    at = 0 if body.startswith(delimiter) else body.find(b"\r\n" + delimiter)
    while at >= 0:
        start = body.find(b"\r\n\r\n", at)
        end = body.find(b"\r\n" + delimiter, start)
        if start < 0 or end < 0:
            return None
        head = body[at:start]
        if _NAME.search(head) and b"filename" not in head.lower():
            name = body[start + 4 : end].decode("utf-8", "replace").strip()
            return NamedModel(name, body[: start + 4], body[end:], quoted=False)
        at = end
    return None
