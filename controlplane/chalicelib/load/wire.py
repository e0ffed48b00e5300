"""One keep-alive HTTP/1.1 connection: it writes a request at once and parses the answer with httptools.

It is an asyncio.Protocol without stream objects. On one core that comes close to wrk; common clients reach a tenth of
it (docs/load.md has the figures).
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from math import floor
from time import perf_counter
from typing import Protocol, cast

import httptools

from .histogram import FAR_SHIFT, FAR_STEP, FAR_US, QUICK, QUICK_US, index_of
from .recorder import Recorder

_END_OF_HEAD = b"\r\n\r\n"


class Sink(Protocol):
    """What all connections share, and who is notified of their events.

    payload: the request's bytes. idle: connections without a request. waiting: due times of requests that no connection
    has taken yet. inbox: data that arrived, with its connection and time (perf_counter), until `digest` parses it.
    """

    payload: bytes
    recorder: Recorder
    idle: list[Wire]
    waiting: deque[float]
    inbox: list[tuple[Wire, bytes, float]]

    def digest(self) -> None:
        """Handle what is in the inbox."""

    def ready(self, wire: Wire) -> None:
        """The connection is open."""

    def finished(self, wire: Wire, status: int, keep_alive: bool) -> None:
        """An answer is complete that `Wire` did not record itself."""

    def lost(self, wire: Wire, kind: str) -> None:
        """The connection is gone."""


class Wire(asyncio.Protocol):
    """Times in seconds on `perf_counter`.

    due, sent: of the current request; due is None between requests. first: when its answer began, 0 before; last: when
    the latest part of it arrived. end: when the previous answer ended, 0 before any.
    """

    __slots__ = (
        "_alive",
        "_digest",
        "_feed",
        "_idle",
        "_inbox",
        "_keep_alive",
        "_look",
        "_plain",
        "_recorder",
        "_service",
        "_sink",
        "_soon",
        "_status",
        "_transport",
        "_waiting",
        "_write",
        "body",
        "due",
        "end",
        "events",
        "first",
        "head",
        "headers",
        "last",
        "on_body",
        "on_header",
        "sent",
    )

    def __init__(
        self,
        sink: Sink,
        *,
        events: bool = False,
        look: Callable[[Wire], None] | None = None,
        whole: bool = False,
    ) -> None:
        """events: count a stream's events. look: called after each good answer, whose head is in `head` as bytes.
        whole: store headers one by one and the body, which costs a call for each.
        """
        self._sink = sink
        self._recorder, self._idle, self._waiting = sink.recorder, sink.idle, sink.waiting
        self._service = sink.recorder.service
        self._inbox, self._digest = sink.inbox, sink.digest
        self._soon = asyncio.get_running_loop().call_soon
        self._transport: asyncio.Transport | None = None
        self._alive = False
        self.due: float | None = None
        self.sent = self.first = self.last = self.end = 0.0
        self.events = 0
        self.head = self.body = b""
        self.headers: dict[bytes, bytes] = {}
        self._look = look
        self._plain = not events and not whole
        # The parser looks these attributes up once, at its creation; an absent one costs no call.
        if events or whole:
            self.on_body = self._count_events if events else self._keep_body
        if whole:
            self.on_header = self._keep_header
        parser = httptools.HttpResponseParser(self)
        self._feed, self._status, self._keep_alive = parser.feed_data, parser.get_status_code, parser.should_keep_alive

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """asyncio calls this once the connection is open."""
        self._transport = cast(asyncio.Transport, transport)
        self._write = self._transport.write
        self._alive = True
        self._sink.ready(self)

    def send(self, due: float) -> None:
        """Write a whole request."""
        self.due = due
        self.first = 0.0
        self.sent = perf_counter()
        self._write(self._sink.payload)

    def data_received(self, data: bytes) -> None:
        """Only store the data and its time: the loop reads all connections before `digest` parses anything."""
        inbox = self._inbox
        if not inbox:
            self._soon(self._digest)
        inbox.append((self, data, perf_counter()))

    def take(self, data: bytes, at: float) -> None:
        """Parse data that arrived at that time."""
        if not self.first:
            self.first = at
            self.head = data
        elif self._look is not None and _END_OF_HEAD not in self.head:
            self.head += data
        self.last = at
        try:
            self._feed(data)
        except httptools.HttpParserCallbackError:
            raise  # our own fault, not the server's
        except httptools.HttpParserError:
            self.abort("protocol")

    def on_message_complete(self) -> None:
        """Record a plain answer; `Sink.finished` handles all others.

        This is the engine's hottest path, so everything is inline, twice the bucket's index (see `histogram.QUICK`).
        """
        due, status = self.due, self._status()
        if due is None or not 200 <= status < 400 or self.last < self.sent or not self._plain or not self._keep_alive():
            self._special(status)
            return
        self.end = end = self.last
        recorder = self._recorder
        try:
            counts = recorder.response[floor(due - recorder.start)]
        except KeyError:
            counts = recorder.second(due)
        us = floor((end - due) * 1e6)
        if us < QUICK_US:
            counts[QUICK[us]] += 1
        else:
            counts[QUICK[us >> FAR_SHIFT] + FAR_STEP if us < FAR_US else index_of(us)] += 1
        us = floor((end - self.sent) * 1e6)
        if us < QUICK_US:
            self._service[QUICK[us]] += 1
        else:
            self._service[QUICK[us >> FAR_SHIFT] + FAR_STEP if us < FAR_US else index_of(us)] += 1
        if self._look is not None:
            self._look(self)
        waiting = self._waiting
        if waiting:
            self.due, self.sent, self.first = waiting.popleft(), perf_counter(), 0.0
            self._write(self._sink.payload)
        else:
            self.due = None
            self._idle.append(self)

    def _special(self, status: int) -> None:
        if status < 200:  # 100 Continue and 103 Early Hints precede the answer
            self.head = self.head.partition(_END_OF_HEAD)[2]
            return
        self.end = self.last
        self._sink.finished(self, status, self._keep_alive())

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """asyncio calls this once the connection is closed."""
        self._fail("dropped")

    def abort(self, kind: str) -> None:
        """Close the connection and report its request as failed with this kind."""
        if self._alive and self._transport is not None:
            self._transport.abort()
        self._fail(kind)

    def close(self) -> None:
        """Close without a report."""
        self._alive = False
        if self._transport is not None:
            self._transport.abort()

    def _fail(self, kind: str) -> None:
        if self._alive:
            self._alive = False
            self._sink.lost(self, kind)

    def _count_events(self, body: bytes) -> None:
        self.events += body.count(b"data: ")

    def _keep_body(self, body: bytes) -> None:
        self.body += body

    def _keep_header(self, name: bytes, value: bytes) -> None:
        self.headers[name.lower()] = value
