"""Sends each request when it is due, whatever became of those before it, and records what comes back.

A connection that is free takes the request; else a new one is opened, up to a cap; else the request waits, and its
waiting counts, since it is timed from when it was due. What cannot be sent in time is dropped and counted as unsent:
that is the generator's fault (or its cap's), never the server's.
"""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from collections.abc import Callable, Iterator
from time import perf_counter
from urllib.parse import urlsplit

from ..core.histogram import SUB_BITS
from .plan import Limits
from .recorder import Recorder
from .wire import Wire, connect

_SPIN_S = 0.0015  # libuv's timers count in milliseconds: the last one before a request is due is spent looking
_SWEEP_S = 0.05
_CONNECT_S = 5.0
_STOP_S = 1.0  # answers that are on their way when the run is stopped may still come in
_BACKLOG, _PAUSE_S = 1_024, 0.004
_BURST = 64  # requests sent in one go before the loop may read answers again


class Generator:
    """One run of one worker on one event loop. `payload` may be replaced while it runs (a signature grows old)."""

    def __init__(
        self,
        url: str,
        payload: bytes,
        recorder: Recorder,
        limits: Limits,
        *,
        stream: bool = False,
        on_good: Callable[[Wire], None] | None = None,
        on_bad: Callable[[Wire, int], None] | None = None,
    ) -> None:
        """on_good and on_bad see an answer with its headers (and, for on_bad, its body): they cost time for each."""
        parts = urlsplit(url)
        self.host = parts.hostname or ""
        self.tls = ssl.create_default_context() if parts.scheme == "https" else None
        self.port = parts.port or (443 if self.tls else 80)
        self.server_name = self.host if self.tls else None
        self.payload = payload
        self.recorder = recorder
        self._limits = limits
        self._stream = stream
        self._on_good = on_good
        self._on_bad = on_bad
        self._idle: list[Wire] = []
        self._open: set[Wire] = set()
        self._connecting: set[asyncio.Task[None]] = set()
        self._waiting: deque[float] = deque()
        self._start = 0.0
        self.stopped = False

    def wire(self) -> Wire:
        """A new connection's protocol."""
        looks = self._on_good is not None or self._on_bad is not None
        return Wire(self, events=self._stream, headers=looks, body=self._on_bad is not None)

    def stop(self) -> None:
        """Send nothing more. What was not sent or answered by then is not counted at all."""
        self.stopped = True

    async def run(self, due_times: Iterator[float], start: float) -> None:
        """All of it: `start` is on perf_counter. Ends when everything was answered, dropped or timed out."""
        self._start = start
        sweeper = asyncio.create_task(self._sweep())
        try:
            await self._pace(due_times, start)
            await self._drain()
        finally:
            sweeper.cancel()
            self._close()

    async def warm(self, connections: int) -> None:
        """Open connections before the start, so that the first second is no different from the others."""
        for _ in range(min(connections, self._limits.connections)):
            self._connect()
        while self._connecting:
            await asyncio.wait(self._connecting)

    async def _pace(self, due_times: Iterator[float], start: float) -> None:
        """The engine's hottest loop, and therefore in one piece."""
        recorder, idle, waiting = self.recorder, self._idle, self._waiting
        opened, limit = self._open, self._limits.connections
        pacing, now, burst = recorder.pacing, 0.0, 0
        for offset in due_times:
            due = start + offset
            if due > now:
                now = perf_counter()
                while due > now and not self.stopped:
                    await asyncio.sleep(due - now - _SPIN_S if due - now > 2 * _SPIN_S else 0)
                    now, burst = perf_counter(), 0
            if self.stopped:
                return
            recorder.due += 1
            us = int((now - due) * 1e6)
            shift = us.bit_length() - SUB_BITS - 1
            pacing[(shift << SUB_BITS) + (us >> shift) if shift > 0 else us] += 1
            if idle:
                idle.pop().send(due, self.payload)
            else:
                waiting.append(due)
                if len(opened) < limit:
                    self._grow()
            burst += 1
            if burst >= _BURST:
                # With this many waiting, connections are kept busy without us; every turn of the loop costs time.
                await asyncio.sleep(_PAUSE_S if len(waiting) > _BACKLOG else 0)
                now, burst = perf_counter(), 0

    def _grow(self) -> None:
        """One new connection for every request that waits, as long as the cap allows."""
        connecting = len(self._connecting)
        if connecting < len(self._waiting) and len(self._open) + connecting < self._limits.connections:
            self._connect()

    def _connect(self) -> None:
        task = asyncio.create_task(self._connected())
        self._connecting.add(task)
        task.add_done_callback(self._connecting.discard)

    async def _connected(self) -> None:
        try:
            await connect(self, _CONNECT_S)
        except (OSError, TimeoutError):
            # A request that waits for this very connection fails with it; with none waiting nobody is hurt.
            if self._waiting:
                self.recorder.failed("connect", self._waiting.popleft(), perf_counter(), self._start)

    def ready(self, wire: Wire) -> None:
        """A connection is open."""
        self._open.add(wire)
        self.recorder.connections += 1
        self._next(wire)

    def finished(self, wire: Wire, status: int, keep_alive: bool) -> None:
        """An answer is complete."""
        due = wire.due
        if due is None:  # an answer that nobody asked for
            wire.abort("protocol")
            return
        wire.due = None
        if 200 <= status < 400:
            self.recorder.answered(due, wire.sent, wire.end, self._start)
            if self._stream:
                self.recorder.began(wire.sent, wire.first)
                self.recorder.events += wire.events
                self.recorder.streamed_s += wire.end - wire.first
            if self._on_good is not None:
                self._on_good(wire)
        else:
            self.recorder.failed(f"http_{status}", due, wire.end, self._start)
            if self._on_bad is not None:
                self._on_bad(wire, status)
        if wire.headers:
            wire.headers, wire.body = {}, b""
        if keep_alive:
            waiting = self._waiting
            if waiting:
                wire.send(waiting.popleft(), self.payload)
            else:
                self._idle.append(wire)
        else:
            wire.close()
            self._gone(wire)

    def lost(self, wire: Wire, kind: str) -> None:
        """A connection is gone, with or without a request on it."""
        due, wire.due = wire.due, None
        if due is not None and kind == "dropped" and wire.used > 1 and not wire.first:
            # The server had closed an idle connection: any client sends again, on a new one.
            self._waiting.appendleft(due)
        elif due is not None:
            self.recorder.failed(kind, due, perf_counter(), self._start)
        self._gone(wire)

    def _gone(self, wire: Wire) -> None:
        self._open.discard(wire)
        if wire in self._idle:
            self._idle.remove(wire)
        if self._waiting:
            self._connect()

    def _next(self, wire: Wire) -> None:
        if self._waiting:
            wire.send(self._waiting.popleft(), self.payload)
        else:
            self._idle.append(wire)

    async def _sweep(self) -> None:
        """Ends what takes too long and drops what could not be sent."""
        while True:
            await asyncio.sleep(_SWEEP_S)
            now = perf_counter()
            for wire in [one for one in self._open if one.due is not None]:
                if now - wire.sent > self._limits.timeout_s:
                    wire.abort("timeout")
            while self._waiting and now - self._waiting[0] > self._limits.give_up_s:
                self._waiting.popleft()
                self.recorder.unsent += 1
            if self._waiting and not self._connecting and not self._open:
                self._connect()

    async def _drain(self) -> None:
        # The sweeper ends whatever is left within the timeout, so that this loop has an end.
        stopped_at: float | None = None
        while self._waiting or any(wire.due is not None for wire in self._open):
            await asyncio.sleep(0.005)
            if self.stopped:
                self.recorder.due -= len(self._waiting)
                self._waiting.clear()
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
        self._idle.clear()
