"""One keep-alive HTTP/1.1 connection: a request out in one write, an answer in through httptools' parser.

An asyncio.Protocol and no stream objects: on one core that comes close to wrk, where the usual clients reach a tenth
of it (docs/load.md has the figures).
"""

from __future__ import annotations

import asyncio
from time import perf_counter
from typing import TYPE_CHECKING, Any, Protocol

import httptools

if TYPE_CHECKING:
    from .generator import Generator


class Sink(Protocol):
    """What a connection tells of itself."""

    def ready(self, wire: Wire) -> None: ...
    def finished(self, wire: Wire, status: int, keep_alive: bool) -> None: ...
    def lost(self, wire: Wire, kind: str) -> None: ...


class Wire(asyncio.Protocol):
    """due, sent, first, end: seconds on `perf_counter` of the request in hand; due is None between requests."""

    __slots__ = (
        "_alive",
        "_parser",
        "_sink",
        "_transport",
        "body",
        "due",
        "end",
        "events",
        "first",
        "headers",
        "on_body",
        "on_header",
        "sent",
        "used",
    )

    def __init__(self, sink: Sink, *, events: bool = False, headers: bool = False, body: bool = False) -> None:
        """events: count those of a stream; headers, body: keep those of the answer in hand."""
        self._sink = sink
        self._transport: Any = None
        self._alive = False
        self.due: float | None = None
        self.sent = self.first = self.end = 0.0
        self.events = 0
        self.used = 0
        self.headers: dict[bytes, bytes] = {}
        self.body = b""
        # The parser looks for these by name once, when it is made, and calls nobody for what is not there.
        if events or body:
            self.on_body = self._count_events if events else self._keep_body
        if headers:
            self.on_header = self._keep_header
        self._parser = httptools.HttpResponseParser(self)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._alive = True
        self._sink.ready(self)

    def send(self, due: float, payload: bytes) -> None:
        """Write a whole request."""
        self.due = due
        self.first = 0.0
        self.events = 0
        self.used += 1
        self.sent = perf_counter()
        self._transport.write(payload)

    def data_received(self, data: bytes) -> None:
        if not self.first:
            self.first = perf_counter()
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserCallbackError:
            raise  # a fault of ours, not of the server
        except httptools.HttpParserError:
            self._fail("protocol")

    def on_message_complete(self) -> None:
        status = self._parser.get_status_code()
        if status < 200:  # 100 Continue and 103 Early Hints are not answers
            return
        self.end = perf_counter()
        self._sink.finished(self, status, self._parser.should_keep_alive())

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        if self._alive:
            self._alive = False
            self._sink.lost(self, "dropped")

    def abort(self, kind: str) -> None:
        """Give up on the request in hand."""
        self._fail(kind)

    def close(self) -> None:
        """Close without telling anybody."""
        self._alive = False
        self._transport.abort()

    def _fail(self, kind: str) -> None:
        if self._alive:
            self._alive = False
            self._transport.abort()
            self._sink.lost(self, kind)

    def _count_events(self, body: bytes) -> None:
        self.events += body.count(b"data: ")

    def _keep_body(self, body: bytes) -> None:
        self.body += body

    def _keep_header(self, name: bytes, value: bytes) -> None:
        self.headers[name.lower()] = value


async def connect(generator: Generator, timeout_s: float) -> None:
    """Open one more connection for a generator; it hears of it through `ready`, or gets an exception here."""
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(timeout_s):
        await loop.create_connection(
            generator.wire, generator.host, generator.port, ssl=generator.tls, server_hostname=generator.server_name
        )
