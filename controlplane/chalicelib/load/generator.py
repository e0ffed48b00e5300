"""Sends each request when it is due, whether or not earlier ones were answered, and records the answers.

An idle connection takes the request; otherwise a new one is opened, up to a limit; otherwise the request waits, and the
wait counts, since a request is timed from when it was due. A request that cannot be sent in time is dropped and counted
as unsent: that is the generator's fault (or its limit's), never the server's.
"""

from __future__ import annotations

import asyncio
import gc
import ssl
from collections import deque
from collections.abc import Callable, Iterator
from itertools import chain
from math import floor, inf
from time import perf_counter
from urllib.parse import urlsplit

from .histogram import FAR_SHIFT, FAR_STEP, FAR_US, QUICK, QUICK_US, index_of
from .plans import Limits
from .recorder import Recorder
from .timer import Timer
from .wire import Wire

_SWEEP_S = 0.05
_CONNECT_S = 5.0
_STOP_S = 1.0  # how long a stopped run waits for answers
_BACKLOG, _PAUSE_S = 1_024, 0.004
_BURST = 64  # requests that are sent before the loop may read answers again

Look = Callable[[Wire], None]


class Generator:
    """One run of one worker on one event loop. `payload` may be replaced during the run (signatures expire)."""

    def __init__(
        self,
        url: str,
        payload: bytes,
        recorder: Recorder,
        limits: Limits,
        *,
        stream: bool = False,
        on_good: Look | None = None,
        on_bad: Callable[[Wire, int], None] | None = None,
    ) -> None:
        """on_good: called with each good answer and its head; on_bad: with each other answer, its headers and body."""
        parts = urlsplit(url)
        self._host = parts.hostname or ""
        self._tls = ssl.create_default_context() if parts.scheme == "https" else None
        self._port = parts.port or (443 if self._tls else 80)
        self.payload = payload
        self.recorder = recorder
        self._limits = limits
        self._stream = stream
        self._on_good = on_good
        self._on_bad = on_bad
        self.idle: list[Wire] = []
        self._open: set[Wire] = set()
        self._connecting: set[asyncio.Task[None]] = set()
        self.inbox: list[tuple[Wire, bytes, float]] = []
        self.waiting: deque[float] = deque()
        self._offsets: Iterator[float] = iter(())
        self._due = 0.0
        self._paced: asyncio.Future[None] | None = None
        self.stopped = False

    def wire(self) -> Wire:
        """The protocol of a new connection."""
        return Wire(self, events=self._stream, look=self._on_good, whole=self._on_bad is not None)

    def stop(self) -> None:
        """Send nothing more. Requests that are not sent or answered by then are not counted."""
        self.stopped = True
        self._all_paced()

    async def run(self, due_times: Iterator[float], start: float) -> None:
        """Run to the end: every request answered, dropped or timed out. start: on perf_counter."""
        self._offsets, self.recorder.start = chain(due_times, (inf,)), start
        self._due = start + next(self._offsets)
        self._paced = asyncio.get_running_loop().create_future()
        if self.stopped or self._due == inf:
            self._all_paced()
        # The engine creates no reference cycles, and a collection during the run would make requests late.
        collects = gc.isenabled()
        gc.disable()
        self._timer = Timer(self._tick)
        sweeper = asyncio.create_task(self._sweep())
        try:
            if not self._paced.done():
                self._timer.start(self._due - perf_counter())
            await self._paced
            await self._drain()
        finally:
            self._timer.close()
            sweeper.cancel()
            self._close()
            if collects:
                gc.enable()

    async def warm(self, connections: int) -> None:
        """Open connections before the start, so that the first second is like the others."""
        for _ in range(min(connections, self._limits.connections)):
            self._connect()
        while self._connecting:
            await asyncio.wait(self._connecting)

    def _all_paced(self, error: Exception | None = None) -> None:
        if self._paced is None or self._paced.done():
            return
        if error is None:
            self._paced.set_result(None)
        else:
            self._paced.set_exception(error)

    def _tick(self) -> None:
        """Send what is due by now, and set the timer for the next request."""
        try:
            next_s = None if self.stopped else self._pace()
        except Exception as error:  # noqa: BLE001 - nobody awaits a timer: the run would hang
            self._all_paced(error)
            next_s = None
        if next_s is None:
            self._timer.close()
            self._all_paced()
        else:
            self._timer.again(next_s)

    def _pace(self) -> float | None:
        """Send the requests that are due. Answers the seconds until the next one is due, None after the last.

        This is a hot path, so everything is inline, the bucket's index too (see `histogram.QUICK`).
        """
        idle, waiting, opened, limit = self.idle, self.waiting, self._open, self._limits.connections
        recorder, due, now, left = self.recorder, self._due, perf_counter(), _BURST
        pacing, start = recorder.pacing, recorder.start
        if due > now:
            return due - now
        for offset in self._offsets:
            us = floor((now - due) * 1e6)
            if us < QUICK_US:
                pacing[QUICK[us]] += 1
            else:
                pacing[QUICK[us >> FAR_SHIFT] + FAR_STEP if us < FAR_US else index_of(us)] += 1
            if idle:
                idle.pop().send(due)
            else:
                waiting.append(due)
                if len(opened) < limit:
                    self._grow()
            due = start + offset
            left -= 1
            if due > now:
                now = perf_counter()
                if due > now:
                    break
            if not left:
                break
        self._due = due
        recorder.due += _BURST - left
        if due > now:
            return None if due == inf else due - now
        # With a long queue the connections take requests from it themselves; every turn of the loop costs time.
        return _PAUSE_S if len(waiting) > _BACKLOG else 0.0

    def _grow(self) -> None:
        """Open one connection for each waiting request, up to the limit."""
        connecting = len(self._connecting)
        if connecting < len(self.waiting) and len(self._open) + connecting < self._limits.connections:
            self._connect()

    def _connect(self) -> None:
        task = asyncio.create_task(self._open_wire())
        self._connecting.add(task)
        task.add_done_callback(self._connecting.discard)

    async def _open_wire(self) -> None:
        """The new connection calls `ready`."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(_CONNECT_S):
                await loop.create_connection(
                    self.wire, self._host, self._port, ssl=self._tls, server_hostname=self._host if self._tls else None
                )
        except (OSError, TimeoutError):
            # The request that waited for this connection fails with it.
            if self.waiting:
                self.recorder.failed("connect", self.waiting.popleft(), perf_counter())

    def digest(self) -> None:
        """Parse what arrived while the loop read all connections."""
        inbox = self.inbox
        try:
            for wire, data, at in inbox:
                wire.take(data, at)
        finally:
            inbox.clear()

    def ready(self, wire: Wire) -> None:
        """A connection is open: see `wire.Sink`."""
        self._open.add(wire)
        self.recorder.connections += 1
        self._next(wire)

    def finished(self, wire: Wire, status: int, keep_alive: bool) -> None:
        """An answer is complete that is of a stream, bad, unrequested, or the last one of its connection."""
        due = wire.due
        if due is None or wire.end < wire.sent:  # an answer without a request
            wire.abort("protocol")
            return
        if 200 <= status < 400:
            self.recorder.answered(due, wire.sent, wire.end)
            if self._stream:
                self.recorder.streamed(wire.sent, wire.first, wire.end, wire.events)
            if self._on_good is not None:
                self._on_good(wire)
        else:
            self.recorder.failed(f"http_{status}", due, wire.end)
            if self._on_bad is not None:
                self._on_bad(wire, status)
        wire.due = None
        wire.headers, wire.body, wire.events = {}, b"", 0
        if keep_alive:
            self._next(wire)
        else:
            wire.close()
            self._gone(wire)

    def lost(self, wire: Wire, kind: str) -> None:
        """A connection is gone, with or without a request."""
        due, wire.due = wire.due, None
        if due is not None and kind == "dropped" and wire.end and not wire.first:
            # The server had closed an idle connection: send again on a new one, as any client does.
            self.waiting.appendleft(due)
        elif due is not None:
            self.recorder.failed(kind, due, perf_counter())
        self._gone(wire)

    def _gone(self, wire: Wire) -> None:
        self._open.discard(wire)
        if wire in self.idle:
            self.idle.remove(wire)
        if self.waiting:
            self._connect()

    def _next(self, wire: Wire) -> None:
        if self.waiting:
            wire.send(self.waiting.popleft())
        else:
            self.idle.append(wire)

    async def _sweep(self) -> None:
        """End requests that take too long, and drop those that could not be sent in time."""
        while True:
            await asyncio.sleep(_SWEEP_S)
            now = perf_counter()
            for wire in [wire for wire in self._open if wire.due is not None]:
                if now - wire.sent > self._limits.timeout_s:
                    wire.abort("timeout")
            while self.waiting and now - self.waiting[0] > self._limits.give_up_s:
                self.waiting.popleft()
                self.recorder.unsent += 1
            if self.waiting and not self._connecting and not self._open:
                self._connect()

    async def _drain(self) -> None:
        # The sweeper ends every request within the timeout, so this loop ends.
        stopped_at: float | None = None
        while self.waiting or any(wire.due is not None for wire in self._open):
            await asyncio.sleep(0.005)
            if self.stopped:
                self.recorder.due -= len(self.waiting)
                self.waiting.clear()
                stopped_at = stopped_at or perf_counter()
                if perf_counter() - stopped_at > _STOP_S:
                    self.recorder.due -= sum(wire.due is not None for wire in self._open)
                    return

    def _close(self) -> None:
        for task in self._connecting:
            task.cancel()
        for wire in list(self._open):
            wire.close()
        self._open.clear()
        self.idle.clear()
