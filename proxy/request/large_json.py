"""Finds the top-level `model` of a large JSON body in its bytes: no document is built, and no copy of the body made.

The body is read in windows by functions that are written in C, so that the time is linear in the size whatever the body
holds, and other threads run between two windows. Of each window the strings are cut away, then what lies deeper than
the top level. Members, strings and the depth of brackets are checked; the upstream refuses what else may be wrong.
"""

from __future__ import annotations

import codecs
import json
import re
from itertools import accumulate, compress
from typing import TYPE_CHECKING

from proxy import errors

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proxy.message import Body

_WINDOW = 65_536
_UTF8_WINDOW = 1_048_576
_BOM = b"\xef\xbb\xbf"  # some writers of UTF-8 begin with it; a parser may ignore it (RFC 8259 section 8.1)
_QUOTE = ord('"')
_LONGEST = 4096  # bytes of a model's name as JSON
# Stand for a string and for the name "model" with its colon. JSON has neither byte.
_STRING, _KEY = b"\x01", b"\x02"
# The name may be written with escapes. A quote behind a backslash begins no string.
_name = re.compile(
    rb'(?<!\\)"((?:m|\\u00[46]d)(?:o|\\u00[46]f)(?:d|\\u00[46]4)(?:e|\\u00[46]5)(?:l|\\u00[46]c))"'
    rb"[ \t\n\r]{0,1000}+[: \t\n\r]",
    re.IGNORECASE,
)
_skip_blanks = re.compile(rb"[ \t\n\r]*+").match
_skip_string = re.compile(rb'(?:[^"\\]++|\\.)*+', re.DOTALL).match
_scalars = re.compile(rb"[^\x01\x02,:{}\[\]]+")
# Members of the top level; of a container there only its closing bracket is left.
_MEMBER = rb"(?:\x01:|\x02)[v\x01\]}]"
_skip_members = re.compile(rb"(?:" + _MEMBER + rb",)*+").match
_last_member = re.compile(_MEMBER + rb"}").fullmatch
_LONGEST_MEMBER = 4
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_PAIRS = (b"[[[[]]]]", b"{{{{}}}}", b"[]", b"{}", b"[]")
_DELTAS = [1 if byte in b"[{" else -1 if byte in b"]}" else 0 for byte in range(256)]


def models(body: Body) -> Iterator[tuple[int, int, str]]:
    """The first two top-level "model": where the value starts and ends, and the value, empty if it is no string.

    Raises ValueError or IndexError when the body is no JSON as far as it is checked, ProxyError 400 for a name that is
    too long.
    """
    _check_utf8(body)
    if _STRING in body or _KEY in body:
        raise ValueError("a control character")
    top, count = _TopLevel(), 0
    for window, names in _windows(body):
        for index in top.take(window, len(names)):
            yield _model_at(body, names[index])
            count += 1
            if count == 2:
                return  # enough to refuse it
    top.finish()


def _check_utf8(body: Body) -> None:
    if body.isascii():
        return
    decoder = codecs.getincrementaldecoder("utf-8")()
    view = memoryview(body)
    for at in range(0, len(body), _UTF8_WINDOW):
        decoder.decode(view[at : at + _UTF8_WINDOW])
    decoder.decode(b"", final=True)


def _windows(body: Body) -> Iterator[tuple[bytes, list[re.Match[bytes]]]]:
    """Windows, and the names "model" in each. None ends within such a name, nor behind an odd backslash."""
    matches, view = _names(body), memoryview(body)
    at = len(_BOM) if body.startswith(_BOM) else 0
    name = next(matches, None)
    while at < len(body):
        end = min(at + _WINDOW, len(body))
        names = []
        while name is not None and name.start() < end:
            if name.end() > end and name.start() > at:
                end = name.start()
                break
            end = max(end, name.end())
            names.append(name)
            name = next(matches, None)
        window = bytes(view[at:end])
        if _ends_in_escape(window):
            window = bytes(view[at : end + 1])
        yield window, names
        at += len(window)


def _ends_in_escape(window: bytes) -> bool:
    """Whether the byte that follows is escaped."""
    return bool((len(window) - len(window.rstrip(b"\\"))) % 2)


def _names(body: Body) -> Iterator[re.Match[bytes]]:
    """Each name "model". Raises ValueError where more blanks than a window should hold lie before its colon."""
    for match in _name.finditer(body):
        if match[0].endswith(b":"):
            yield match
        elif (blanks := _skip_blanks(body, match.end())) and body[blanks.end() : blanks.end() + 1] == b":":
            raise ValueError("too many blanks")


class _TopLevel:
    """The document as far as it was read: how deep it is, and the top level's last, unfinished member."""

    def __init__(self) -> None:
        self._depth = 0
        self._squares = 0  # square brackets that are open
        self._in_string = False
        self._is_object: bool | None = None  # None while nothing but blanks has arrived
        self._rest = b""
        self._has_members = False

    def take(self, window: bytes, names: int) -> list[int]:
        """Read a window with so many names "model"; which of them are the top level's. Raises ValueError."""
        text = self._without_strings(_name.sub(_KEY, window) if names else window)
        if text.count(_KEY) != names:
            raise ValueError("a name within a string")
        brackets = text.translate(None, _NO_BRACKETS)
        self._squares += brackets.count(b"[") - brackets.count(b"]")
        if not brackets and self._depth < 2:
            self._check(text)
            return list(range(names)) if self._depth == 1 and self._is_object else []
        brackets = _reduced(brackets)
        closing = brackets.count(b"]") + brackets.count(b"}")
        if self._depth - closing > 1:
            self._depth += len(brackets) - 2 * closing
            return []
        return self._take_top(text)

    def _take_top(self, text: bytes) -> list[int]:
        """Read text that touches the top level."""
        depths = list(accumulate(map(_DELTAS.__getitem__, text), initial=self._depth))[1:]
        if min(depths) < 0:
            raise ValueError("a bracket does not match")
        self._depth = depths[-1]
        self._check(bytes(compress(text, map((2).__gt__, depths))))
        return _of_top_level(depths, text) if self._is_object and _KEY in text else []

    def _without_strings(self, window: bytes) -> bytes:
        if b"\\" in window:
            window = window.replace(b"\\\\", b"").replace(b'\\"', b"")
        parts = window.split(b'"')
        began_in_string = self._in_string
        self._in_string ^= len(parts) % 2 == 0
        text = _STRING.join(parts[int(began_in_string) :: 2])
        return _STRING + text if began_in_string and len(parts) > 1 else text

    def _check(self, text: bytes) -> None:
        """Check the top level's text, which lacks strings and what is deeper. Raises ValueError."""
        rest = _scalars.sub(b"v", self._rest + text.translate(None, b" \t\n\r"))
        if rest and self._is_object is None:
            self._is_object = rest.startswith(b"{")
            rest = rest[1:]
        if not self._is_object:
            return
        match = _skip_members(rest)
        end = 0 if match is None else match.end()
        self._has_members = self._has_members or end > 0
        self._rest = rest[end:]
        if len(self._rest) > _LONGEST_MEMBER:
            raise ValueError("no member")

    def finish(self) -> None:
        """The body has ended. Raises ValueError."""
        if self._depth or self._squares or self._in_string:
            raise ValueError("a bracket or a string does not end")
        is_empty = self._rest == b"}" and not self._has_members
        if self._is_object and not is_empty and not _last_member(self._rest):
            raise ValueError("no member")


def _of_top_level(depths: list[int], text: bytes) -> list[int]:
    """Which of the names in a text are the top level's."""
    of_names = compress(depths, map(_KEY[0].__eq__, text))
    return [index for index, depth in enumerate(of_names) if depth == 1]


def _reduced(brackets: bytes) -> bytes:
    """Brackets without most of the pairs that match: those change no depth but their own."""
    for pair in _PAIRS:
        brackets = brackets.replace(pair, b"")
    return brackets


def _model_at(body: Body, name: re.Match[bytes]) -> tuple[int, int, str]:
    """(start, end, text) of the value behind a name.

    The text is empty, and the end not known, if it is no string or the name is in capitals.
    """
    match = _skip_blanks(body, name.end())
    start = name.end() if match is None else match.end()
    if body[start] != _QUOTE or json.loads(b'"%b"' % name[1]) != "model":
        return start, start, ""
    end = _string_end(body, start)
    return start, end, str(json.loads(bytes(memoryview(body)[start:end])))


def _string_end(body: Body, at: int) -> int:
    """Where the string ends that starts at `at`. Raises IndexError, ProxyError."""
    match = _skip_string(body, at + 1, at + 1 + _LONGEST)
    end = at + 1 if match is None else match.end()
    if body[end] != _QUOTE:
        raise errors.bad_request("The model's name is too long.", "invalid_model", "model")
    return end + 1
