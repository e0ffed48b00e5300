"""Watches an answer pass: how many tokens it cost, and whether a stream came to its proper end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxy.response.events import EventParser
from proxy.response.members import MemberScanner, is_truthy, value_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from proxy.response.events import Event
    from proxy.response.families import Family

MAX_TOKENS = 10**12
MAX_CODE = 64
UNNAMED = "unnamed"
_PUNCTUATION = {ord(char): "x" for char in "_-."}
SMALL = 8192  # bytes of a JSON answer that is parsed as a whole
_USAGE = (b"usage",)
_NULL_USAGE = b'"usage":null'
_INPUT = ("prompt_tokens", "input_tokens")
_OUTPUT = ("completion_tokens", "output_tokens")


class BodyWatcher:
    """An answer that is not looked into."""

    is_events = False
    is_between_events = True
    ends_in_cr = False
    has_ended = False
    tokens: tuple[int, int] | None = None  # (input, output) as the upstream counted them
    error_code = ""  # of the error that an event tells

    def feed(self, chunk: bytes) -> bytes:
        """Take a chunk; what may be handed on now."""
        return chunk

    def finish(self) -> bytes:
        """The answer has ended properly; what is left to hand on."""
        return b""

    def is_cut(self) -> bool:
        """Whether a stream lacks the event that ends it. Call it after `finish`."""
        return False


class JsonWatcher(BodyWatcher):
    """A JSON answer: its top-level `usage`."""

    def __init__(self) -> None:
        self._scanner: MemberScanner | None = None
        self._body = b""

    def feed(self, chunk: bytes) -> bytes:
        """Take a chunk; all of it may be handed on."""
        if self._scanner is not None:
            self._scanner.feed(chunk)
        elif len(self._body) + len(chunk) <= SMALL:
            self._body += chunk
        else:
            self._scanner = MemberScanner(frozenset({_USAGE}))
            self._scanner.feed(self._body)
            self._scanner.feed(chunk)
            self._body = b""
        return chunk

    def finish(self) -> bytes:
        """Count the tokens."""
        if self._scanner is not None:
            self.tokens = count(value_of(self._scanner.values.get(_USAGE)))
        elif b"usage" in self._body or b"\\u00" in self._body:
            document = value_of(self._body)
            self.tokens = count(document.get("usage")) if isinstance(document, dict) else None
        return b""


class EventsWatcher(BodyWatcher):
    """An event stream: its tokens, and whether its family's last event arrived. `family` None is never judged."""

    is_events = True

    def __init__(self, family: Family | None) -> None:
        self._family = family
        self._marks = (*(family.marks if family is not None else ()), b"\\u00")
        self._ended = False
        self._parser = EventParser(self._handle, self._is_remarkable)
        self.feed = self._parser.feed  # type: ignore[method-assign]  # one call less for each chunk
        self.finish = self._parser.finish  # type: ignore[method-assign]

    @property
    def is_between_events(self) -> bool:  # type: ignore[override]
        """Whether what was handed on ends with a whole event."""
        return self._parser.is_between_events

    @property
    def ends_in_cr(self) -> bool:  # type: ignore[override]
        """Whether what was handed on ends in a CR, to which an LF may belong."""
        return self._parser.ends_in_cr

    @property
    def has_ended(self) -> bool:  # type: ignore[override]
        """Whether the event that ends the stream has arrived."""
        return self._ended

    def is_cut(self) -> bool:
        """Whether the stream lacks the event that ends it.

        An error event is an end: the upstream said what happened.
        """
        return self._family is not None and not self._ended

    def _is_remarkable(self, chunk: bytes) -> bool:
        """Whether a chunk may hold an event that decides something; JSON may write names with escapes."""
        for mark in self._marks:  # a loop, for this runs with every chunk
            if mark in chunk:
                return True
        return b'"usage"' in chunk and chunk.count(b'"usage"') != chunk.count(_NULL_USAGE)

    def _handle(self, event: Event) -> None:
        self._ended = self._ended or self._is_end(event)
        for path in ((b"response", b"usage"), _USAGE):
            tokens = count(value_of(event.members.get(path)))
            self.tokens = self.tokens if tokens is None else tokens

        self.error_code = self.error_code or error_code(event)

    def _is_end(self, event: Event) -> bool:
        family = self._family
        if family is None:
            return False
        if event.start.startswith(b"[DONE]"):
            return family.done
        kind = value_of(event.members.get((b"type",)))
        return (
            is_truthy(event.members.get((b"error",))) or (kind if isinstance(kind, str) else event.name) in family.types
        )


def error_code(event: Event) -> str:
    """The code of the error that an event tells; empty if it tells none.

    Some upstreams put a sentence there, which may repeat a part of the prompt: that is UNNAMED.
    """
    members = event.members
    error = value_of(members.get((b"error",))) or value_of(members.get((b"response", b"error")))
    code: object = error.get("code") or error.get("type") if isinstance(error, dict) else error
    if not code and value_of(members.get((b"type",))) == "error":
        code = value_of(members.get((b"code",))) or UNNAMED
    if not error and not code:
        return ""
    return code if isinstance(code, str) and _is_name(code) else UNNAMED


def _is_name(code: str) -> bool:
    return len(code) <= MAX_CODE and code.isascii() and code.translate(_PUNCTUATION).isalnum()


def watcher_for(kind: str, family: Family | None, *, is_judged: bool) -> BodyWatcher:
    """What watches an answer of a content type; `is_judged` is False for answers that are errors or have no body."""
    media_type = kind.partition(";")[0].strip().lower()
    if media_type == "text/event-stream":
        return EventsWatcher(family if is_judged else None)
    if media_type == "application/json" or media_type.endswith("+json"):
        return JsonWatcher()
    return BodyWatcher()


def count(usage: object) -> tuple[int, int] | None:
    """(input, output) tokens of a usage object, or None. A missing or null count beside one that is there is 0."""
    if not isinstance(usage, dict):
        return None
    counts = [_first(usage, names) for names in (_INPUT, _OUTPUT)]
    if counts == [None, None]:
        return None
    numbers = [_number(value) for value in counts]
    return None if None in numbers else (numbers[0] or 0, numbers[1] or 0)


def _first(usage: dict[str, object], names: Iterable[str]) -> object:
    return next((usage[name] for name in names if usage.get(name) is not None), None)


def _number(value: object) -> int | None:
    if value is None:
        return 0
    # More than a metric can hold is no count.
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < MAX_TOKENS else None
