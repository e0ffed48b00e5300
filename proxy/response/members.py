"""Reads chosen members of a JSON object from bytes as they arrive, in constant memory, without building the document.

Only top-level members are looked at, and those of a top-level `response`, where a Responses event has its usage. What
is deeper is skipped by the regular expression engine.
"""

from __future__ import annotations

import json
import re

MAX_VALUE = 8192  # bytes of a member's value that are kept; a longer one is only known to be there
_MAX_KEY = 128
_NESTED = b"response"
_LEVELS = 2  # how deep members have names of interest
_skip_shallow = re.compile(rb'[^"{}\[\],:]*+').match
_skip_deep = re.compile(rb'(?:[^"{}\[\]]++|"(?:[^"\\]++|\\.)*+")*+', re.DOTALL).match
_string_rest = re.compile(rb'(?:[^"\\]++|\\.)*+', re.DOTALL).match
_QUOTE, _BACKSLASH, _COMMA, _COLON = b'"\\,:'
_OPENING, _CLOSING = frozenset(b"{["), frozenset(b"}]")
_OBJECT = ord("{")
Path = tuple[bytes, ...]


class MemberScanner:
    """Fed with the text of one JSON value; `values` then holds the raw JSON of the wanted members by their path."""

    __slots__ = (
        "_capture",
        "_captured",
        "_depth",
        "_escaped",
        "_in_key",
        "_in_string",
        "_kinds",
        "_names",
        "_wanted",
        "values",
    )

    def __init__(self, wanted: frozenset[Path]) -> None:
        self.values: dict[Path, bytes] = {}
        self._wanted = wanted
        self._depth = 0
        self._kinds = [0] * _LEVELS  # the brackets that opened the first levels
        self._names = [b""] * _LEVELS  # the current member's name on each level
        self._in_string = False
        self._escaped = False  # a backslash was the last byte that arrived
        self._in_key = False
        self._capture: Path | None = None
        self._captured = b""

    @property
    def is_complete(self) -> bool:
        """Whether an object or array has been opened and all of it has arrived."""
        return self._kinds[0] != 0 and self._depth == 0

    def feed(self, data: bytes) -> None:
        """Take the next bytes."""
        at, size = 0, len(data)
        start = 0  # of what belongs to the value being captured
        while at < size:
            if self._in_string:
                at = self._string(data, at)
                continue
            skip = _skip_deep if self._depth > _LEVELS else _skip_shallow
            at = skip(data, at).end()  # type: ignore[union-attr]  # it always matches
            if at >= size:
                break
            byte = data[at]
            if self._capture is not None and self._ends_capture(byte):
                self._keep(data[start:at])
                self._finish()
            at += 1
            if self._structure(byte):
                start = at
        if self._capture is not None:
            self._keep(data[start:])

    def _string(self, data: bytes, at: int) -> int:
        if self._escaped:
            self._escaped = False
            self._append_key(data[at : at + 1])
            return at + 1
        end = _string_rest(data, at).end()  # type: ignore[union-attr]
        self._append_key(data[at:end])
        if end < len(data):
            self._escaped = data[end] == _BACKSLASH
            self._append_key(b"\\" if self._escaped else b"")
            self._in_string = self._escaped
            end += 1
        return end

    def _append_key(self, text: bytes) -> None:
        if self._in_key:
            self._names[self._depth - 1] = (self._names[self._depth - 1] + text)[:_MAX_KEY]

    def _structure(self, byte: int) -> bool:
        """Take a structural byte; whether the value of a wanted member begins behind it."""
        depth = self._depth
        if byte == _QUOTE:
            self._in_string = True
        elif byte in _OPENING:
            self._depth = depth + 1
            if depth < _LEVELS:
                self._kinds[depth] = byte
                self._expect_key()
        elif byte in _CLOSING:
            self._depth = max(0, depth - 1)
        elif byte == _COMMA:
            self._expect_key()
        elif byte == _COLON:
            self._in_key = False
            return self._begin()
        return False

    def _expect_key(self) -> None:
        depth = self._depth
        self._in_key = 0 < depth <= _LEVELS and self._kinds[depth - 1] == _OBJECT
        if self._in_key:
            self._names[depth - 1] = b""

    def _begin(self) -> bool:
        if self._capture is not None or not 0 < self._depth <= _LEVELS:
            return False
        path = tuple(_plain(name) for name in self._names[: self._depth])
        if path not in self._wanted:
            return False
        self._capture, self._captured = path, b""
        return True

    def _ends_capture(self, byte: int) -> bool:
        return self._capture is not None and self._depth == len(self._capture) and byte in b",}]"

    def _keep(self, text: bytes) -> None:
        text = text if self._captured else text.lstrip(b" \t\n\r")
        self._captured += text[: MAX_VALUE + 1 - len(self._captured)]

    def _finish(self) -> None:
        if self._capture is not None:
            self.values[self._capture] = self._captured.strip()
        self._capture = None


def _plain(name: bytes) -> bytes:
    """A member's name without JSON's escapes."""
    if b"\\" not in name:
        return name
    try:
        return str(json.loads(b'"' + name + b'"')).encode("utf-8", "replace")
    except ValueError:
        return name


def value_of(raw: bytes | None) -> object:
    """The decoded value of a member; None for one that is absent, too long or no JSON."""
    if raw is None or len(raw) > MAX_VALUE:
        return None
    try:
        value: object = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    return value


def is_truthy(raw: bytes | None) -> bool:
    """Whether a member is there and is neither null, false, 0 nor empty, as OpenAI's SDKs decide about `error`."""
    return raw is not None and (len(raw) > MAX_VALUE or bool(value_of(raw)))
