"""The connections of callers: how many there may be, how long each may take, and which one goes for a new one."""

from __future__ import annotations

import contextlib
import enum
import resource
import socket
import threading
import time
from typing import TYPE_CHECKING

from proxy.doors import outbox
from proxy.doors.inbox import Inbox

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from proxy.message import Request

OWN_DESCRIPTORS = 20  # standard streams, listener, selector, log, a secret being read, modules being imported
MAX_CALLERS = 2048
SURPLUS = 4  # connections beyond the limit, for /health and for saying that there are too many


class Stage(enum.Enum):
    """What a connection is waiting for."""

    IDLE = "its next request"
    HEAD = "the rest of a head"
    BODY = "the rest of a body"
    BUSY = "its answer"
    LINGER = "its end, after a refusal"


# Seconds. A head's limit holds for all of it, a body's for each part: a large file takes its time.
LIMITS_S = {Stage.IDLE: 75.0, Stage.HEAD: 10.0, Stage.BODY: 60.0, Stage.BUSY: float("inf"), Stage.LINGER: 5.0}
# Who has to go first when there are too many.
_LEAST_WANTED = (Stage.LINGER, Stage.IDLE, Stage.HEAD, Stage.BODY)


def descriptor_budget() -> tuple[int, int, int]:
    """(callers, further ones for /health, idle upstream connections) that this process's descriptors are enough for.

    Each caller being answered needs one more, for its upstream.
    """
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    usable = (1 << 20 if soft == resource.RLIM_INFINITY else soft) - OWN_DESCRIPTORS - SURPLUS
    idle = max(1, min(128, usable // 4))
    return max(2, min(MAX_CALLERS, (usable - idle) // 2)), SURPLUS, idle


class Caller:
    """One connection. `is_surplus`: it came when there were too many already."""

    def __init__(self, sock: socket.socket, inbox: Inbox, *, is_surplus: bool) -> None:
        self.sock = sock
        self.inbox = inbox
        self.is_surplus = is_surplus
        self.stage = Stage.IDLE
        self.since = 0.0  # when the stage began, on time.monotonic()
        self.until = 0.0
        self.enter(Stage.IDLE)

    def enter(self, stage: Stage) -> None:
        """Begin a stage, with its deadline."""
        self.stage = stage
        self.since = time.monotonic()
        self.until = self.since + LIMITS_S[stage]

    def next_request(self, data: bytes) -> Request | None:
        """The next whole request after these bytes; None while more must arrive. Raises Refused, OSError."""
        self.inbox.feed(data)
        request = self.inbox.next()
        if request is None:
            self._note_progress()
        return request

    def _note_progress(self) -> None:
        if self.inbox.must_continue:
            self.inbox.must_continue = False
            # Without waiting, for this may run in the thread that serves everybody. A caller who does not read what it
            # has got already does without, and sends its body after a pause of its own (RFC 9110 section 10.1.1).
            with contextlib.suppress(BlockingIOError):
                if self.sock.send(outbox.CONTINUE) < len(outbox.CONTINUE):
                    raise ConnectionResetError
        if self.inbox.is_in_body:
            self.enter(Stage.BODY)
        elif self.stage is not Stage.HEAD and not self.inbox.is_idle:
            self.enter(Stage.HEAD)


class Callers:
    """All connections. Workers remove some, the server's thread does the rest."""

    def __init__(self, limit: int, surplus: int, body_limit: int, admit: Callable[[Request], None]) -> None:
        self._limit = limit
        self._surplus = surplus
        self._body_limit = body_limit
        self._admit = admit
        self._lock = threading.Lock()
        self._all: set[Caller] = set()

    def add(self, sock: socket.socket) -> Caller:
        """A new connection."""
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        inbox = Inbox(self._body_limit, self._admit, sock.fileno())
        with self._lock:
            caller = Caller(sock, inbox, is_surplus=len(self._all) >= self._limit)
            self._all.add(caller)
        return caller

    def remove(self, caller: Caller) -> None:
        """Close a connection."""
        with self._lock:
            self._all.discard(caller)
        caller.sock.close()

    def is_full(self) -> bool:
        """Whether nobody may come: all there may be are there, the surplus too, and none can go."""
        return len(self._all) >= self._limit + self._surplus and self._least_wanted() is None

    def make_room(self, drop: Callable[[Caller], None]) -> None:
        """Drop a connection for a new one if there are as many as there may be."""
        if len(self._all) >= self._limit:
            self.evict(drop)

    def evict(self, drop: Callable[[Caller], None]) -> None:
        """Drop the connection that has waited longest in the least wanted stage, if there is any."""
        caller = self._least_wanted()
        if caller is not None:
            drop(caller)

    def _least_wanted(self) -> Caller | None:
        for stage in _LEAST_WANTED:
            waiting = [caller for caller in self._snapshot() if caller.stage is stage]
            if waiting:
                return min(waiting, key=lambda caller: caller.since)
        return None

    def overdue(self, now: float) -> Iterable[Caller]:
        """The connections whose deadline is over."""
        return [caller for caller in self._snapshot() if now >= caller.until and caller.stage is not Stage.BUSY]

    def _snapshot(self) -> list[Caller]:
        with self._lock:
            return list(self._all)

    def close(self) -> None:
        """Close all connections."""
        for caller in self._snapshot():
            self.remove(caller)
