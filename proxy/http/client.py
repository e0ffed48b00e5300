"""One request and its whole answer over a blocking socket: enough for AWS's own APIs.

http.client would do, but it imports the e-mail package, a tenth of the proxy's cold start.
"""

from __future__ import annotations

import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING

from proxy.http.framing import CHUNKED, UNTIL_CLOSE, ChunkDecoder, response_length
from proxy.http.head import HeadError, end_of_response_head, parse_response

if TYPE_CHECKING:
    from collections.abc import Mapping

    from proxy.http.head import ResponseHead

_RECEIVE = 262_144
_QUICKACK = getattr(socket, "TCP_QUICKACK", None)


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer; `headers` by their lower-case names."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def exchange(sock: socket.socket, payload: bytes, method: str) -> Answer:
    """Send a request, read its answer. Raises OSError, also for an answer that is not HTTP or ends too early."""
    sock.sendall(payload)
    return read_answer(sock, method)


def read_answer(sock: socket.socket, method: str) -> Answer:
    """The answer that comes next on a socket. Raises OSError."""
    try:
        head, rest = _read_head(sock)
        return Answer(head.status, dict(reversed(head.fields)), _read_body(sock, head, method, rest))
    except HeadError as error:
        raise ConnectionError(f"the answer is not HTTP: {error}") from None


def _read_head(sock: socket.socket) -> tuple[ResponseHead, bytes]:
    buffer = b""
    while True:
        while (end := end_of_response_head(buffer)) < 0:
            buffer += _receive(sock)
        head, buffer = parse_response(buffer[:end]), buffer[end:]
        if head.status >= 200:
            return head, buffer


def _read_body(sock: socket.socket, head: ResponseHead, method: str, rest: bytes) -> bytes:
    length = response_length(head, method)
    if length == CHUNKED:
        return _read_chunks(sock, rest)
    pieces, size = [rest], len(rest)
    while length == UNTIL_CLOSE or size < length:
        piece = sock.recv(_RECEIVE) if length == UNTIL_CLOSE else _receive(sock)
        if not piece:
            break
        pieces.append(piece)
        size += len(piece)
    return b"".join(pieces)


def _read_chunks(sock: socket.socket, rest: bytes) -> bytes:
    chunks, body = ChunkDecoder(lenient=True), bytearray()
    while True:
        for piece in chunks.feed(rest)[0]:
            body += piece
        if chunks.done:
            return bytes(body)
        rest = _receive(sock)


def _receive(sock: socket.socket) -> bytes:
    """The next bytes. Raises ConnectionError at the connection's end."""
    if _QUICKACK is not None:
        # A head and a body in two packets would otherwise wait 40 ms for our delayed acknowledgement of the first.
        sock.setsockopt(socket.IPPROTO_TCP, _QUICKACK, 1)
    data = sock.recv(_RECEIVE)
    if not data:
        raise ConnectionResetError("the connection ended before the answer did")
    return data
