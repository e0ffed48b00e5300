"""Sends each request when it is due, whatever became of those before it, and records what comes back.

A connection that is free takes the request; else a new one is opened, up to a cap; else the request waits, and its
waiting counts, since it is timed from when it was due. What cannot be sent in time is dropped and counted as unsent:
that is the generator's fault (or its cap's), never the server's.
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
from .wire import Wire, connect

_SWEEP_S = 0.05
_CONNECT_S = 5.0
_STOP_S = 1.0  # answers that are on their way when the run is stopped may still come in
_BACKLOG, _PAUSE_S = 1_024, 0.004
_BURST = 64  # requests sent in one go before the loop may read answers again

Look = Callable[[Wire], None]


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
        on_good: Look | None = None,
        on_bad: Callable[[Wire, int], None] | None = None,
    ) -> None:
        """on_good sees each good answer with its head as bytes, on_bad each other one with its headers and body."""
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
        """A new connection's protocol."""
        return Wire(self, events=self._stream, look=self._on_good, whole=self._on_bad is not None)

    def stop(self) -> None:
        """Send nothing more. What was not sent or answered by then is not counted at all."""
        self.stopped = True
        self._all_paced()

    async def run(self, due_times: Iterator[float], start: float) -> None:
        """All of it: `start` is on perf_counter. Ends when everything was answered, dropped or timed out."""
        self._offsets, self.recorder.start = chain(due_times, (inf,)), start
        self._due = start + next(self._offsets)
        self._paced = asyncio.get_running_loop().create_future()
        if self.stopped or self._due == inf:
            self._all_paced()
        # Nothing here makes cycles; a collection in mid-run would only make requests late.
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
        """Open connections before the start, so that the first second is no different from the others."""
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
        """Send what is due by now, and be woken for what comes next."""
        try:
            next_s = None if self.stopped else self._pace()
        except Exception as error:  # noqa: BLE001 - nobody awaits a timer: the run would hang instead of failing
            self._all_paced(error)
            next_s = None
        if next_s is None:
            self._timer.close()
            self._all_paced()
        else:
            self._timer.again(next_s)

    def _pace(self) -> float | None:
        """Seconds until the next is due, None after the last. One of two hot places, and therefore in one piece.

        The bucket's index is `histogram.quick_index_of`.
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
        # With very many waiting, connections are kept busy without us; every turn of the loop costs time.
        return _PAUSE_S if len(waiting) > _BACKLOG else 0.0

    def _grow(self) -> None:
        """One new connection for every request that waits, as long as the cap allows."""
        connecting = len(self._connecting)
        if connecting < len(self.waiting) and len(self._open) + connecting < self._limits.connections:
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
            if self.waiting:
                self.recorder.failed("connect", self.waiting.popleft(), perf_counter())

    def digest(self) -> None:
        """Work off what arrived while the loop looked at all connections."""
        inbox = self.inbox
        try:
            for wire, data, at in inbox:
                wire.take(data, at)
        finally:
            inbox.clear()

    def ready(self, wire: Wire) -> None:
        """A connection is open."""
        self._open.add(wire)
        self.recorder.connections += 1
        self._next(wire)

    def finished(self, wire: Wire, status: int, keep_alive: bool) -> None:
        """An answer is complete that is not a plain one: of a stream, not good, not asked for, or the last."""
        due = wire.due
        if due is None or wire.end < wire.sent:  # an answer that nobody asked for
            wire.abort("protocol")
            return
        wire.due = None
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
        wire.headers, wire.body, wire.events = {}, b"", 0
        if keep_alive:
            self._next(wire)
        else:
            wire.close()
            self._gone(wire)

    def lost(self, wire: Wire, kind: str) -> None:
        """A connection is gone, with or without a request on it."""
        due, wire.due = wire.due, None
        if due is not None and kind == "dropped" and wire.end and not wire.first:
            # The server had closed an idle connection: any client sends again, on a new one.
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
        """Ends what takes too long and drops what could not be sent."""
        while True:
            await asyncio.sleep(_SWEEP_S)
            now = perf_counter()
            for wire in [one for one in self._open if one.due is not None]:
                if now - wire.sent > self._limits.timeout_s:
                    wire.abort("timeout")
            while self.waiting and now - self.waiting[0] > self._limits.give_up_s:
                self.waiting.popleft()
                self.recorder.unsent += 1
            if self.waiting and not self._connecting and not self._open:
                self._connect()

    async def _drain(self) -> None:
        # The sweeper ends whatever is left within the timeout, so that this loop has an end.
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
