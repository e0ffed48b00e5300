"""Where a message's body ends (RFC 9112 section 6): by its length, by chunks, or with the connection.

Whoever reads a length in another way than the sender meant it reads the rest of a body as the next message. So a
request that leaves any doubt is refused. Of a response `transfer-encoding` decides, and a `content-length` beside it
is void.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from proxy.http.head import HeadError

if TYPE_CHECKING:
    from proxy.http.head import RequestHead, ResponseHead

CHUNKED = -1  # the length of a body in chunks
UNTIL_CLOSE = -2  # the length of a body that ends with its connection
MAX_SIZE_LINE = 4096  # bytes of a chunk's size line with its extensions, and of a trailer
MAX_TRAILERS = 100
_digits = re.compile(r"[0-9]{1,18}").fullmatch
# The size line of a packet that ends like a chunk.
_whole_chunk = re.compile(rb"([1-9A-Fa-f][0-9A-Fa-f]{0,7})\r\n(?=.)", re.DOTALL).match
_trailer = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+:[^\x00-\x08\x0a-\x1f\x7f]*").fullmatch
_chunk_size = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;[^\r\n]*)?").fullmatch


def request_length(head: RequestHead) -> int:
    """Bytes of the request's body, or CHUNKED. Raises HeadError 400, or 501 for another transfer coding."""
    lengths, codings = head.values("content-length"), head.values("transfer-encoding")
    if len(lengths) + len(codings) > 1:
        raise HeadError(400, "The request must state the length of its body once.", "invalid_header")
    if codings:
        if codings[0].lower() != "chunked":
            raise HeadError(501, "No transfer coding but chunked is understood here.", "invalid_header")
        if head.minor == 0:
            raise HeadError(400, "HTTP/1.0 has no transfer codings.", "invalid_header")
        return CHUNKED
    if not lengths:
        return 0
    if not _digits(lengths[0]):
        raise HeadError(400, "Content-Length is not a number of bytes.", "invalid_header")
    return int(lengths[0])


def response_length(head: ResponseHead, method: str) -> int:
    """Bytes of the response's body, CHUNKED or UNTIL_CLOSE. Raises HeadError."""
    if method == "HEAD" or head.status in (204, 304):
        return 0
    codings = [value.lower() for name, value in head.fields if name == "transfer-encoding"]
    if codings:
        if codings != ["chunked"]:
            raise HeadError(502, "The response has a transfer coding other than chunked.")
        return CHUNKED
    lengths = {part.strip() for name, value in head.fields if name == "content-length" for part in value.split(",")}
    if not lengths:
        return UNTIL_CLOSE
    if len(lengths) > 1 or not _digits(text := lengths.pop()):
        raise HeadError(502, "The response's content-length is not one number.")
    return int(text)


class ChunkDecoder:
    """Takes a chunked body apart as its bytes arrive, in constant memory. `lenient` lets lines end in a bare LF."""

    def __init__(self, *, lenient: bool = False) -> None:
        self.done = False
        self._lenient = lenient
        self._is_between = True  # the next byte begins a chunk's size line
        self._left = 0  # bytes of the current chunk that have not arrived
        self._line = b""  # the beginning of a line whose end has not arrived
        self._after_chunk = False  # the line end that closes a chunk comes next
        self._in_trailers = False
        self._trailers = 0

    def whole(self, data: bytes) -> bytes:
        """The body's bytes in `data` if it is one whole chunk, as streams send them; else nothing is taken."""
        if self._is_between:
            match = _whole_chunk(data)
            if match is not None and int(match[1], 16) == len(data) - match.end() - 2 and data.endswith(b"\r\n"):
                return data[match.end() : -2]
        return b""

    def feed(self, data: bytes, at: int = 0) -> tuple[list[bytes], int]:
        """(pieces of the body, where the next message begins in `data`), from `data[at:]`. Raises HeadError."""
        pieces: list[bytes] = []
        size = len(data)
        while at < size and not self.done:
            if self._left:
                piece = data[at : at + self._left]
                self._left -= len(piece)
                at += len(piece)
                self._after_chunk = not self._left
                pieces.append(piece)
            else:
                at = self._take_line(data, at)
        self._is_between = not (self._left or self._line or self._after_chunk or self._in_trailers)
        return pieces, at

    def _take_line(self, data: bytes, at: int) -> int:
        end = data.find(b"\n", at)
        line = self._line + data[at : end + 1 if end >= 0 else len(data)]
        if len(line) > MAX_SIZE_LINE:
            raise HeadError(400, "A line of the chunked body is too long.", "invalid_body")
        if end < 0:
            self._line = line
            return len(data)
        self._line = b""
        self._end_line(self._without_end(line))
        return end + 1

    def _without_end(self, line: bytes) -> bytes:
        if line.endswith(b"\r\n"):
            return line[:-2]
        if self._lenient:
            return line[:-1]
        raise HeadError(400, "A line of the chunked body does not end in CR LF.", "invalid_body")

    def _end_line(self, line: bytes) -> None:
        if self._after_chunk:
            if line:
                raise HeadError(400, "A chunk of the body is longer than its size.", "invalid_body")
            self._after_chunk = False
        elif self._in_trailers:
            self.done = not line
            self._trailers += 1
            if line and not self._lenient and not _trailer(line):
                raise HeadError(400, "A trailer of the chunked body is malformed.", "invalid_body")
            if self._trailers > MAX_TRAILERS:
                raise HeadError(400, "The chunked body has too many trailers.", "invalid_body")
        else:
            self._begin_chunk(line)

    def _begin_chunk(self, line: bytes) -> None:
        match = _chunk_size(line)
        if match is None:
            raise HeadError(400, "The chunked body is malformed.", "invalid_body")
        self._left = int(match[1], 16)
        self._in_trailers = not self._left

    @property
    def announced(self) -> int:
        """Bytes that the current chunk's size line has promised and that have not arrived."""
        return self._left
