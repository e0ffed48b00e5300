"""Finds where a JSON array or object ends, in linear time and by windows, without parsing what is in it.

Of each window the strings are cut away, then everything but brackets, then pairs of brackets: what is left says how
much deeper or shallower the window ends, and whether the container may end in it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proxy.message import Body

FIRST_WINDOW = 256  # bytes; most containers are small
LAST_WINDOW = 65_536
MAX_DEPTH = 1000  # about that of the standard library's parser
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
# The deeper the pairs that one step removes, the fewer steps a window takes.
_PAIRS = tuple(pair[:1] * depth + pair[1:] * depth for depth in (256, 16, 1) for pair in (b"[]", b"{}"))
_closes_then_opens = re.compile(rb"([\]}]*+)([\[{]*+)").fullmatch
_tokens = re.compile(rb'"(?:[^"\\]++|\\.)*+"|[\[\]{}]', re.DOTALL).finditer
_string_rest = re.compile(rb'(?:[^"\\]++|\\.)*+"', re.DOTALL).match
_CLOSING = {ord("["): ord("]"), ord("{"): ord("}")}


def container_end(body: Body, at: int) -> int:
    """Where the array or object ends that starts at `at`.

    Raises ValueError when it does not, or brackets do not match.
    """
    open_brackets = bytearray()  # the container's, and what is open in it
    for start, window, in_string in _windows(body, at):
        match = _closes_then_opens(_reduced(_brackets(window, in_string)))
        if match is None:
            return _exact_end(body, start, in_string, open_brackets)
        closes, opens = match.groups()
        if (open_brackets and len(closes) >= len(open_brackets)) or (not open_brackets and not opens):
            return _exact_end(body, start, in_string, open_brackets)
        for byte in closes:
            if _CLOSING[open_brackets.pop()] != byte:
                raise ValueError("a bracket does not match")
        open_brackets += opens
        if len(open_brackets) > MAX_DEPTH:
            raise ValueError("nested too deeply")
    raise ValueError("a bracket does not close")


def _windows(body: Body, at: int) -> Iterator[tuple[int, bytes, bool]]:
    """(start, bytes, whether they begin within a string) of windows that grow; none ends behind an odd backslash."""
    size, in_string = FIRST_WINDOW, False
    while at < len(body):
        window = bytes(body[at : at + size])
        if (len(window) - len(window.rstrip(b"\\"))) % 2:
            window = bytes(body[at : at + len(window) + 1])
        yield at, window, in_string
        quotes = _without_escapes(window).count(b'"')
        in_string ^= bool(quotes % 2)
        at += len(window)
        size = min(LAST_WINDOW, size * 2)


def _without_escapes(window: bytes) -> bytes:
    if b"\\" not in window:
        return window
    return window.replace(b"\\\\", b"").replace(b'\\"', b"")


def _brackets(window: bytes, in_string: bool) -> bytes:
    """The brackets of a window that are not in strings."""
    outside = _without_escapes(window).split(b'"')[int(in_string) :: 2]
    return b"".join(outside).translate(None, _NO_BRACKETS)


def _reduced(brackets: bytes) -> bytes:
    """Brackets without the pairs that match; what is left of a sound sequence are closing, then opening ones."""
    size = -1
    while size != len(brackets):
        size = len(brackets)
        for pair in _PAIRS:
            while pair in brackets:
                brackets = brackets.replace(pair, b"")
    return brackets


def _exact_end(body: Body, at: int, in_string: bool, open_brackets: bytearray) -> int:
    """Where in a window the last open bracket closes."""
    if in_string:
        match = _string_rest(body, at)
        at = len(body) if match is None else match.end()
    for token in _tokens(body, at):
        byte = token[0][0]
        if byte in b"[{":
            open_brackets.append(byte)
        elif byte in b"]}" and (not open_brackets or _CLOSING[open_brackets.pop()] != byte):
            break
        if not open_brackets:
            return token.end()
    raise ValueError("a bracket does not match")
