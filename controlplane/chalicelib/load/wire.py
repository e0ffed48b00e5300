"""One keep-alive HTTP/1.1 connection: a request out in one write, an answer in through httptools' parser.

An asyncio.Protocol and no stream objects: on one core that comes close to wrk, where the usual clients reach a tenth
of it (docs/load.md has the figures).
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from math import floor
from time import perf_counter
from typing import TYPE_CHECKING, Any, Protocol

import httptools

from .histogram import FAR_SHIFT, FAR_STEP, FAR_US, QUICK, QUICK_US, index_of
from .recorder import Recorder

if TYPE_CHECKING:
    from .generator import Generator

_END_OF_HEAD = b"\r\n\r\n"


class Sink(Protocol):
    """What connections share, and what hears of each.

    waiting: when those requests were due that no connection took yet. inbox: what arrived, on which connection and when
    (perf_counter); `digest` works it off.
    """

    payload: bytes
    recorder: Recorder
    idle: list[Wire]
    waiting: deque[float]
    inbox: list[tuple[Wire, bytes, float]]

    def digest(self) -> None: ...

    def ready(self, wire: Wire) -> None: ...
    def finished(self, wire: Wire, status: int, keep_alive: bool) -> None: ...
    def lost(self, wire: Wire, kind: str) -> None: ...


class Wire(asyncio.Protocol):
    """due, sent, first, last: seconds on `perf_counter` of the request in hand; due is None between requests.

    first is 0 until the answer begins, last when the latest piece of it came; end that of the answer before, 0 before
    any.
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
        """events: count those of a stream; look: called after each good answer, which has its `head` as bytes; whole:
        keep headers one by one, and the body, which costs a call for each.
        """
        self._sink = sink
        self._recorder, self._idle, self._waiting = sink.recorder, sink.idle, sink.waiting
        self._service = sink.recorder.service
        self._inbox, self._digest = sink.inbox, sink.digest
        self._soon = asyncio.get_running_loop().call_soon
        self._transport: Any = None
        self._alive = False
        self.due: float | None = None
        self.sent = self.first = self.last = self.end = 0.0
        self.events = 0
        self.head = self.body = b""
        self.headers: dict[bytes, bytes] = {}
        self._look = look
        self._plain = not events and not whole
        # The parser looks for these by name once, when it is made, and calls nobody for what is not there.
        if events or whole:
            self.on_body = self._count_events if events else self._keep_body
        if whole:
            self.on_header = self._keep_header
        parser = httptools.HttpResponseParser(self)
        self._feed, self._status, self._keep_alive = parser.feed_data, parser.get_status_code, parser.should_keep_alive

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
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
        """Only notes what came and when: all connections are read before what they said is worked off."""
        inbox = self._inbox
        if not inbox:
            self._soon(self._digest)
        inbox.append((self, data, perf_counter()))

    def take(self, data: bytes, at: float) -> None:
        """What arrived at that time."""
        if not self.first:
            self.first = at
            self.head = data
        elif self._look is not None and _END_OF_HEAD not in self.head:
            self.head += data
        self.last = at
        try:
            self._feed(data)
        except httptools.HttpParserCallbackError:
            raise  # a fault of ours, not of the server
        except httptools.HttpParserError:
            self.abort("protocol")

    def on_message_complete(self) -> None:
        """The plain case is the engine's hottest place, and therefore in one piece; all others are `finished`'s.

        The bucket's index, written out twice, is `histogram.quick_index_of`.
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
        if status < 200:  # 100 Continue and 103 Early Hints are not answers
            self.head = self.head.partition(_END_OF_HEAD)[2]
            return
        self.end = self.last
        self._sink.finished(self, status, self._keep_alive())

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        self._fail("dropped")

    def abort(self, kind: str) -> None:
        """Give up on the request in hand."""
        if self._alive:
            self._transport.abort()
        self._fail(kind)

    def close(self) -> None:
        """Close without telling anybody."""
        self._alive = False
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


async def connect(generator: Generator, timeout_s: float) -> None:
    """Open one more connection for a generator; it hears of it through `ready`, or gets an exception here."""
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(timeout_s):
        await loop.create_connection(
            generator.wire, generator.host, generator.port, ssl=generator.tls, server_hostname=generator.server_name
        )
