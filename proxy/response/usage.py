"""Watches an answer go by: how many tokens it counted, and whether a stream came to its proper end.

Only the last bytes are kept, for that is where OpenAI puts `usage` and the end of a stream.
"""

from __future__ import annotations

from json.decoder import JSONDecoder

TAIL = 16_384
MAX_TOKENS = 10**12
_decode = JSONDecoder().raw_decode
_CHAT_PATHS = ("/chat/completions", "/completions")
# With their quotes: inside the text of an answer these would be escaped.
_RESPONSE_ENDS = tuple(
    b'"type":' + space + b'"' + name + b'"'
    for name in (b"response.completed", b"response.incomplete", b"response.failed", b"error")
    for space in (b"", b" ")
)


class Watcher:
    """Fed with every chunk of one answer."""

    def __init__(self, path: str, content_type: str) -> None:
        self.is_events = content_type.startswith("text/event-stream")
        self._counts = self.is_events or content_type.startswith("application/json")
        self._path = path
        self._tail = b""
        self._ended = False

    def feed(self, chunk: bytes) -> None:
        """See the next bytes."""
        if not self._counts:
            return
        if len(chunk) >= TAIL:
            self._tail = chunk[-TAIL:]
        else:
            self._tail = (self._tail + chunk)[-TAIL:]
        if self.is_events and self._path == "/responses" and not self._ended:
            # The closing event repeats the whole response and may be longer than the tail.
            self._ended = any(mark in self._tail for mark in _RESPONSE_ENDS)

    def tokens(self) -> tuple[int, int] | None:
        """(input, output) tokens as the upstream counted them, or None."""
        at = self._tail.rfind(b'"usage"')
        while at >= 0:
            counted = _usage_at(self._tail, at)
            if counted is not None:
                return counted
            at = self._tail.rfind(b'"usage"', 0, at)
        return None

    def is_cut(self) -> bool:
        """Whether a stream that ended lacks its closing event: `[DONE]`, or the last event of a response.

        An error event also is an end: the upstream said what happened. Other streams have no mark to go by.
        """
        if not self.is_events:
            return False
        if self._path in _CHAT_PATHS:
            # At the start of a line: within JSON a line break would be escaped.
            lines = b"\n" + self._tail
            return b"\ndata: [DONE]" not in lines and b"\ndata:[DONE]" not in lines and b'"error"' not in lines
        return self._path == "/responses" and not self._ended


def _usage_at(tail: bytes, at: int) -> tuple[int, int] | None:
    text = tail[at + len(b'"usage"') :].decode("utf-8", "replace").lstrip()
    if not text.startswith(":"):
        return None
    try:
        usage, _ = _decode(text[1:].lstrip())
    except (ValueError, RecursionError):
        return None
    if not isinstance(usage, dict):
        return None
    input_tokens = _count(usage.get("prompt_tokens", usage.get("input_tokens")))
    output = _count(usage.get("completion_tokens", usage.get("output_tokens", 0)))
    return None if input_tokens is None or output is None else (input_tokens, output)


def _count(value: object) -> int | None:
    # More than a metric can hold is no count.
    return value if isinstance(value, int) and 0 <= value < MAX_TOKENS else None
