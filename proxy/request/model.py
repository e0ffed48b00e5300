"""Finds the model that a request names, and exchanges it without touching any other byte.

A small JSON body is walked at its top level with the standard library's scanner, which checks all of it; a large one
is scanned as bytes (large_json.py); in a multipart form the part called `model` counts (form.py). A body that names a
model twice is refused: the proxy and the upstream might choose differently.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from json.decoder import WHITESPACE, JSONDecoder, scanstring  # type: ignore[attr-defined]
from typing import TYPE_CHECKING

from proxy import errors

if TYPE_CHECKING:
    from proxy.message import Body

SMALL = 262_144  # bytes of a JSON body whose document is built, which costs some ten times as much memory
# Numbers are not needed: without parse_int one of over 4,300 digits would be refused.
_scan_once = JSONDecoder(parse_int=len, parse_float=len).scan_once  # type: ignore[attr-defined]
_skip = WHITESPACE.match
_UNPARSABLE = (
    "We could not parse the JSON body of your request. The API expects a JSON payload, but what was sent "
    "was not valid JSON."
)
Span = tuple[int, int, str]  # where a model's value starts and ends, and the model


@dataclass(frozen=True, slots=True)
class NamedModel:
    """A model named in a body, whose value is `body[start:end]`."""

    name: str
    original: Body
    start: int
    end: int
    quoted: bool  # a JSON string, not plain text of a form

    def body(self, name: str) -> tuple[bytes | memoryview, ...]:
        """The body with another model's name, in parts that share the memory of the original."""
        value = json.dumps(name).encode() if self.quoted else name.encode()
        view = memoryview(self.original)
        return view[: self.start], value, view[self.end :]


def is_looked_into(content_type: str) -> bool:
    """Whether a body of this type may name a model."""
    return is_json(content_type) or media_type(content_type) == "multipart/form-data"


def media_type(content_type: str) -> str:
    """`application/json; charset=utf-8` → `application/json`."""
    return content_type.partition(";")[0].strip().lower()


def is_json(content_type: str) -> bool:
    """Whether a content type is JSON's."""
    kind = media_type(content_type)
    return kind == "application/json" or kind.endswith("+json")


def find_model(content_type: str, body: Body) -> NamedModel | None:
    """The model that the body names, or None. Raises ProxyError 400 when it calls itself JSON and is not."""
    if not body:
        return None
    if is_json(content_type):
        return _in_json(body)
    if media_type(content_type) == "multipart/form-data":
        from proxy.request.form import model_parts  # of uploads only

        span = _only(list(model_parts(content_type, body)))
        return NamedModel(span[2], body, span[0], span[1], quoted=False) if span is not None and span[2] else None
    return None


def _in_json(body: Body) -> NamedModel | None:
    try:
        span = _only(_in_small(bytes(body)) if len(body) <= SMALL else _in_large(body))
    except (ValueError, StopIteration, RecursionError, IndexError):
        raise errors.bad_request(_UNPARSABLE) from None
    return NamedModel(span[2], body, span[0], span[1], quoted=True) if span is not None and span[2] else None


def _only(spans: list[Span]) -> Span | None:
    if len(spans) > 1:
        raise errors.bad_request("The request must name its model once.", "duplicate_model", "model")
    return spans[0] if spans else None


def _in_large(body: Body) -> list[Span]:
    from proxy.request.large_json import models

    return list(models(body))


def _in_small(body: bytes) -> list[Span]:
    text = body.decode()
    spans = _walk(text)
    if text.isascii():
        return spans
    return [(len(text[:start].encode()), len(text[:end].encode()), name) for start, end, name in spans]


def _walk(text: str) -> list[Span]:
    """Each top-level "model": where its value starts and ends, and the value. Reads all of the text.

    The value is empty if it is no string, or the name is in capitals: many upstreams would see no model then.
    """
    at = _skip(text, 1 if text.startswith("\ufeff") else 0).end()  # a byte-order mark may be ignored (RFC 8259)
    if text[at] != "{":
        _, at = _scan_once(text, at)
        _check_end(text, at)
        return []
    spans: list[Span] = []
    at = _skip(text, at + 1).end()
    while text[at] != "}":
        key, start, value, at = _member(text, at)
        if key.lower() == "model":  # upstreams in Go read names in any case
            spans.append((start, at, value if key == "model" and isinstance(value, str) else ""))
        at = _skip(text, at).end()
        if text[at] == ",":
            at = _skip(text, at + 1).end()
            if text[at] == "}":
                raise ValueError("a member must follow a comma")
        elif text[at] != "}":
            raise ValueError("a comma must follow a value")
    _check_end(text, at + 1)
    return spans


def _member(text: str, at: int) -> tuple[str, int, object, int]:
    """(name, where its value starts, the value, where it ends)."""
    if text[at] != '"':
        raise ValueError("a name must be a string")
    key, at = scanstring(text, at + 1, True)
    at = _skip(text, at).end()
    if text[at] != ":":
        raise ValueError("a colon must follow a name")
    start = _skip(text, at + 1).end()
    value, at = _scan_once(text, start)
    return key, start, value, at


def _check_end(text: str, at: int) -> None:
    if _skip(text, at).end() != len(text):
        raise ValueError("text after the value")
