"""Finds the top-level `model` of a large JSON body in its bytes: no document is built, and no copy of the body made.

The top level is checked exactly, of what lies deeper only that strings and brackets end: the upstream refuses what
else may be wrong in it. All work is done in windows of bounded size by functions that are written in C, so that the
time is linear in the size whatever the body holds, and other threads run between two windows.
"""

from __future__ import annotations

import codecs
import json
import re
from typing import TYPE_CHECKING

from proxy.request import json_brackets

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proxy.message import Body

_WINDOW = 131_072
_UTF8_WINDOW = 1_048_576
_QUOTE, _BACKSLASH, _COLON, _COMMA, _OPEN, _CLOSE = b'"\\:,{}'
_skip_blanks = re.compile(rb"[ \t\n\r]*+").match
_skip_string = re.compile(rb'(?:[^"\\]++|\\.)*+', re.DOTALL).match
_scalar = re.compile(
    rb"(?:true|false|null|NaN|-?Infinity|"
    rb"-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?(?:[eE][+-]?[0-9]++)?+)"
    rb"(?=[ \t\n\r,}]|\Z)"
).match
# Members that are not the model and whose values are plain, with their commas: many of them in one step.
_skip_plain_members = re.compile(
    rb'(?:"(?!model")[^"\\\x00-\x1f]*+"[ \t\n\r]*+:[ \t\n\r]*+'
    rb'(?:"[^"\\\x00-\x1f]*+"|(?:0|-?[1-9][0-9]*+)|true|false|null|\[\]|\{\})[ \t\n\r]*+,[ \t\n\r]*+)*+'
).match


def models(body: Body) -> Iterator[tuple[int, int, str]]:
    """Each top-level "model": where its value starts and ends, and the value, empty if it is no string.

    Raises ValueError or IndexError when the body is no JSON as far as it is checked.
    """
    _check_utf8(body)
    at = _blanks(body, 0)
    if body[at] != _OPEN:
        at = _value(body, at)
    else:
        at = _blanks(body, at + 1)
        while body[at] != _CLOSE:
            at = _blanks(body, _end_of(_skip_plain_members(body, at, at + _WINDOW), at))  # a window may end in blanks
            key, start, at = _member(body, at)
            if key == "model":
                yield start, at, _text(body, start, at)
            at = _next_member(body, _blanks(body, at))
        at += 1
    if _blanks(body, at) != len(body):
        raise ValueError("text after the value")


def _check_utf8(body: Body) -> None:
    if body.isascii():
        return
    decoder = codecs.getincrementaldecoder("utf-8")()
    view = memoryview(body)
    for at in range(0, len(body), _UTF8_WINDOW):
        decoder.decode(view[at : at + _UTF8_WINDOW])
    decoder.decode(b"", final=True)


def _end_of(match: re.Match[bytes] | None, at: int) -> int:
    return at if match is None else match.end()


def _blanks(body: Body, at: int) -> int:
    return _end_of(_skip_blanks(body, at), at)


def _member(body: Body, at: int) -> tuple[str, int, int]:
    """(name, where its value starts, where it ends)."""
    if body[at] != _QUOTE:
        raise ValueError("a name must be a string")
    end = _string_end(body, at)
    colon = _blanks(body, end)
    if body[colon] != _COLON:
        raise ValueError("a colon must follow a name")
    start = _blanks(body, colon + 1)
    return _text(body, at, end), start, _value(body, start)


def _next_member(body: Body, at: int) -> int:
    if body[at] == _CLOSE:
        return at
    if body[at] != _COMMA:
        raise ValueError("a comma must follow a value")
    at = _blanks(body, at + 1)
    if body[at] == _CLOSE:
        raise ValueError("a member must follow a comma")
    return at


def _value(body: Body, at: int) -> int:
    """Where the value ends that starts at `at`."""
    if body[at] in b"[{":
        return json_brackets.container_end(body, at)
    if body[at] == _QUOTE:
        return _string_end(body, at)
    match = _scalar(body, at)
    if match is None:
        raise ValueError("no JSON value")
    return match.end()


def _string_end(body: Body, at: int) -> int:
    """Where the string ends that starts at `at`."""
    end = body.find(b'"', at + 1)
    if end > 0 and body[end - 1] != _BACKSLASH:
        return end + 1
    at += 1
    while at < len(body):
        at = _end_of(_skip_string(body, at, at + _WINDOW), at)
        if body[at] == _QUOTE:
            return at + 1
        if body[at] == _BACKSLASH:  # the window ended behind it
            at += 2
    raise ValueError("a string does not end")


def _text(body: Body, start: int, end: int) -> str:
    """The string at `body[start:end]`; empty for another value."""
    if body[start] != _QUOTE:
        return ""
    return str(json.loads(bytes(memoryview(body)[start:end])))
