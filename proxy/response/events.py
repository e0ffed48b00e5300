"""An incremental parser of server-sent events (WHATWG HTML, section 9.2.6) that also decides what may be handed on.

Lines end in CR LF, LF or CR; a byte-order mark may come first; `data` lines of one event are joined; comments are
skipped. Of an event's data only top-level members are read (members.py), in constant memory. What is not a whole
event is held back, up to MAX_HELD bytes, so that an error event can follow a whole one when the stream breaks.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from proxy.response.members import MemberScanner

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_HELD = 1_048_576
DATA_START = 16  # bytes of an event's data that are kept as they are
_MAX_NAME = 128
_MAX_FIELD_NAME = 5  # of `data` and `event`, the fields that matter
_BOM = b"\xef\xbb\xbf"
_line_end = re.compile(rb"\r\n|\n|\r").search
WANTED = frozenset({(b"type",), (b"error",), (b"code",), (b"usage",), (b"response", b"usage"), (b"response", b"error")})


@dataclass(slots=True)
class Event:
    """One event. `start`: the first bytes of its data; `members`: raw JSON of wanted members of its data, by path."""

    name: str
    start: bytes
    members: dict[tuple[bytes, ...], bytes]


class EventParser:
    """Fed with a stream's bytes; calls `handle` with each event."""

    def __init__(self, handle: Callable[[Event], None], is_remarkable: Callable[[bytes], bool]) -> None:
        self.ends_in_cr = False  # of what was handed on: an LF may belong to its last line
        self._handle = handle
        self._is_remarkable = is_remarkable
        self._is_clean = True  # nothing of an event has arrived but whole ones
        self._held: list[bytes] = []
        self._held_size = 0
        self._overflowed = False  # the beginning of the current event was handed on
        self._after_cr = False
        self._at_start = True  # of the stream: a byte-order mark may follow
        self._line = b""  # the current line until its field is known
        self._field: bytes | None = None  # of the current line; None while not known
        self._value_begun = False
        self._in_event = False  # a field of the current event has arrived
        self._name = b""
        self._has_data = False
        self._start = b""
        self._scanner: MemberScanner | None = None

    @property
    def is_between_events(self) -> bool:
        """Whether what was handed on ends with a whole event."""
        return not self._overflowed

    def feed(self, chunk: bytes) -> bytes:
        """Take a chunk; what may be handed on now."""
        if self._is_clean and chunk.endswith(b"\n\n") and b"\r" not in chunk and not self._is_remarkable(chunk):
            self._at_start = self._after_cr = self.ends_in_cr = False
            return chunk  # whole events that decide nothing: nearly all of an ordinary stream
        out = self._hand_on(chunk, self._parse(chunk))
        self._is_clean = not (self._held or self._overflowed or self._in_event or self._line or self._field is not None)
        return out

    def finish(self) -> bytes:
        """The stream has ended: a whole event counts even without its empty line. What is left to hand on."""
        if self._line or self._field is not None:
            self._end_line()
        if self._start.startswith(b"[DONE]") or (self._scanner is not None and self._scanner.is_complete):
            self._dispatch()
        rest, self._held, self._held_size = b"".join(self._held), [], 0
        return rest

    def _hand_on(self, chunk: bytes, end: int) -> bytes:
        """Hand on `chunk[:end]` and what was held, hold the rest."""
        if end:
            out = b"".join([*self._held, chunk[:end]])
            self._held, self._held_size, self._overflowed = [], 0, False
        else:
            out = b""
        rest = chunk[end:]
        if rest:
            self._held.append(rest)
            self._held_size += len(rest)
        if self._held_size > MAX_HELD or self._overflowed:
            out += b"".join(self._held)
            self._overflowed = self._overflowed or bool(self._held)
            self._held, self._held_size = [], 0
        self.ends_in_cr = out.endswith(b"\r") if out else self.ends_in_cr
        return out

    def _parse(self, chunk: bytes) -> int:
        """Parse a chunk; up to where it may be handed on."""
        at = end = 0
        if self._after_cr and chunk.startswith(b"\n"):
            at = 1
            end = 0 if self._in_event else 1
        if chunk:
            self._after_cr = False
        while (match := _line_end(chunk, at)) is not None:
            self._take(chunk[at : match.start()])
            at = match.end()
            if self._end_line():
                end = at
        self._take(chunk[at:])
        self._after_cr = chunk.endswith(b"\r") if chunk else self._after_cr
        return end

    def _take(self, piece: bytes) -> None:
        """Take a piece of the current line."""
        if not piece:
            return
        if self._field is None:
            self._line += piece
            piece = self._begin_field()
        if self._field is not None and piece:
            self._take_value(piece)

    def _begin_field(self) -> bytes:
        """Find out the field of the current line; what has arrived of its value."""
        if self._at_start and self._line.startswith(_BOM):
            self._line, self._at_start = self._line[len(_BOM) :], False
        name, colon, value = self._line.partition(b":")
        if colon or len(name) > _MAX_FIELD_NAME + len(_BOM):
            self._field, self._line = name[: _MAX_FIELD_NAME + 1], b""
            self._value_begun = False
        return value

    def _take_value(self, piece: bytes) -> None:
        if not self._value_begun:
            self._begin_value()
            piece = piece.removeprefix(b" ")
        if self._field == b"data":
            self._take_data(piece)
        elif self._field == b"event":
            self._name = (self._name + piece)[:_MAX_NAME]

    def _begin_value(self) -> None:
        self._value_begun = True
        if self._field == b"data" and self._has_data:
            self._take_data(b"\n")
        elif self._field == b"data":
            self._has_data = True
        elif self._field == b"event":
            self._name = b""

    def _take_data(self, piece: bytes) -> None:
        if len(self._start) < DATA_START:
            self._start = (self._start + piece)[:DATA_START]
        if self._scanner is None:
            self._scanner = MemberScanner(WANTED)
        self._scanner.feed(piece)

    def _end_line(self) -> bool:
        """The current line has ended; whether the stream may be handed on up to here."""
        self._at_start = False
        if self._field is None and not self._line:
            self._dispatch()
            return True
        if self._field is None:  # a line without a colon is a field without a value
            self._field, self._value_begun = self._line, False
        if not self._value_begun:
            self._begin_value()
        if self._field:  # a comment belongs to no event
            self._in_event = True
        self._field, self._line, self._value_begun = None, b"", False
        return not self._in_event

    def _dispatch(self) -> None:
        if self._has_data:
            members = self._scanner.values if self._scanner is not None else {}
            self._handle(Event(self._name.decode("utf-8", "replace"), self._start, members))
        self._in_event = self._has_data = False
        self._name = self._start = b""
        self._scanner = None
