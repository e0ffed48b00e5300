"""Writes one response to a caller's non-blocking socket."""

from __future__ import annotations

import http
import time
from typing import TYPE_CHECKING

from proxy.upstream.waiting import WRITABLE, wait

if TYPE_CHECKING:
    import socket

    from proxy.message import Response

SEND_S = 300.0  # how long a caller may take nothing
_PHRASES = {status.value: status.phrase for status in http.HTTPStatus}
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


def send(sock: socket.socket, data: bytes) -> None:
    """Send all of it. Raises OSError; TimeoutError when the caller takes nothing for SEND_S."""
    view = memoryview(data)
    until = time.monotonic() + SEND_S
    while view:
        try:
            view = view[sock.send(view) :]
            until = time.monotonic() + SEND_S
        except BlockingIOError:
            wait(sock.fileno(), WRITABLE, until - time.monotonic())


def send_response(sock: socket.socket, response: Response, method: str, minor: int, *, keep_alive: bool) -> bool:
    """Send a response to its end; whether the connection stays open. Raises OSError, StreamBroken.

    A body without a length goes out in chunks; to a caller of HTTP/1.0 it ends with the connection.
    """
    bare = method == "HEAD" or response.status in (204, 304)
    sized = any(name == "content-length" for name, _ in response.headers)
    chunked = not sized and not bare and minor == 1
    keep_alive = keep_alive and (sized or bare or chunked)
    pending = _head(response, chunked=chunked, keep_alive=keep_alive)
    if response.exchange.streamed:  # its first event may be far away
        send(sock, pending)
        pending = b""
    for chunk in response.body:
        if not bare:  # read to its end all the same: the upstream's connection is wanted again
            send(sock, pending + (b"%x\r\n%b\r\n" % (len(chunk), chunk) if chunked else chunk))
            pending = b""
    send(sock, pending + b"0\r\n\r\n" if chunked else pending)
    return keep_alive


def _head(response: Response, *, chunked: bool, keep_alive: bool) -> bytes:
    lines = [f"HTTP/1.1 {response.status} {_PHRASES.get(response.status, '')}\r\n"]
    lines += [f"{name}: {value}\r\n" for name, value in response.headers]
    if chunked:
        lines.append("transfer-encoding: chunked\r\n")
    if not keep_alive:
        lines.append("connection: close\r\n")
    lines.append("\r\n")
    return "".join(lines).encode("latin-1", "replace")
