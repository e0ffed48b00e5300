"""The body of a request as the local door reads it from its connection (RFC 9112 §6 and §7).

Whoever reads a length in another way than the sender meant it reads the rest of a body as the next request. So what
leaves any doubt about the length is refused, and the connection has to be closed after it.
"""

from __future__ import annotations

import email.errors
import re
from typing import TYPE_CHECKING, Protocol

from proxy import errors
from proxy.exchange import CALLER_GONE

if TYPE_CHECKING:
    from email.message import Message

MAX_LINE = 4096  # bytes of a chunk's size line, and of a trailer
MAX_TRAILERS = 100
# Lines that the parser took for no header, or for the body's first: what follows them is lost. (Other defects are those
# of a multipart body, which it misses, for it sees the head only.)
_HEADER_DEFECTS = (
    email.errors.FirstHeaderLineIsContinuationDefect,
    email.errors.InvalidHeaderDefect,
    email.errors.MisplacedEnvelopeHeaderDefect,
    email.errors.MissingHeaderBodySeparatorDefect,
)
_DIGITS = re.compile(r"[0-9]{1,18}").fullmatch
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;.*)?\r?\n", re.DOTALL).fullmatch


class Reader(Protocol):
    """A blocking reader: fewer bytes than asked for mean that there are no more."""

    def read(self, size: int, /) -> bytes:
        """`size` bytes."""
        ...

    def readline(self, limit: int, /) -> bytes:
        """A line with its end, or the first `limit` bytes of it."""
        ...


def read_body(reader: Reader, headers: Message, limit: int) -> bytes:
    """The whole body. Raises ProxyError where its length is unclear, above `limit` bytes, or not reached."""
    if any(isinstance(defect, _HEADER_DEFECTS) for defect in headers.defects):
        raise _malformed("A header of the request is malformed.", "invalid_header")
    lengths, codings = headers.get_all("content-length", []), headers.get_all("transfer-encoding", [])
    if len(lengths) + len(codings) > 1:
        raise _malformed("The request must tell the length of its body once.", "invalid_header")
    try:
        if codings:
            return _dechunked(reader, codings[0], limit)
        return _sized(reader, lengths[0] if lengths else "0", limit)
    except (ConnectionError, TimeoutError):
        raise _cut_short() from None


def _sized(reader: Reader, length: str, limit: int) -> bytes:
    if not _DIGITS(length.strip(" \t")):
        raise _malformed("Content-Length is not a number of bytes.", "invalid_header")
    size = int(length)
    if size > limit:
        raise errors.too_large(size, limit)
    return _exactly(reader, size)


def _dechunked(reader: Reader, coding: str, limit: int) -> bytes:
    if coding.strip(" \t").lower() != "chunked":
        message = "No transfer coding but chunked is understood here."
        raise errors.ProxyError(501, message, code="invalid_header")
    chunks: list[bytes] = []
    total = 0
    while size := _chunk_size(reader):
        total += size
        if total > limit:
            raise errors.too_large(total, limit)
        chunks.append(_exactly(reader, size))
        if _line(reader) not in (b"\r\n", b"\n"):
            raise _malformed("A chunk of the body is longer than its size.", "invalid_body")
    _skip_trailers(reader)
    return b"".join(chunks)


def _chunk_size(reader: Reader) -> int:
    match = _CHUNK_SIZE(_line(reader))
    if match is None:
        raise _malformed("The chunked body is malformed.", "invalid_body")
    return int(match[1], 16)


def _skip_trailers(reader: Reader) -> None:
    for _ in range(MAX_TRAILERS):
        if _line(reader) in (b"\r\n", b"\n"):
            return
    raise _malformed("The chunked body has too many trailers.", "invalid_body")


def _line(reader: Reader) -> bytes:
    line = reader.readline(MAX_LINE)
    if line.endswith(b"\n"):
        return line
    if len(line) < MAX_LINE:
        raise _cut_short()
    raise _malformed("A line of the chunked body is too long.", "invalid_body")


def _exactly(reader: Reader, size: int) -> bytes:
    content = reader.read(size) if size else b""
    if len(content) < size:
        raise _cut_short()
    return content


def _malformed(message: str, code: str) -> errors.ProxyError:
    return errors.bad_request(message, code)


def _cut_short() -> errors.ProxyError:
    # Half a body must not go upstream as if it were whole: a file cut in two would be stored.
    return errors.bad_request("The connection ended before the body of the request did.", CALLER_GONE)
