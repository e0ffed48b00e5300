"""Idle connections to upstreams, the warmest first."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from proxy.upstream.connection import Connection, origin_of

if TYPE_CHECKING:
    from proxy.clock import Clock
    from proxy.secret.schema import Upstream
    from proxy.upstream.resolve import Resolver

MAX_IDLE_S = 50.0  # load balancers commonly close after 60 s
MAX_IDLE = 128


class Pool:
    """Threads may share it. `max_idle`: how many unused connections stay open."""

    def __init__(self, clock: Clock, resolver: Resolver, max_idle: int = MAX_IDLE) -> None:
        self.max_idle = max_idle
        self._clock = clock
        self._resolver = resolver
        self._lock = threading.Lock()
        self._idle: list[Connection] = []

    def take(self, upstream: Upstream, timeout_s: float, caller: int, *, fresh: bool = False) -> Connection:
        """An idle connection that looks alive, or a new one. Raises UpstreamFailure, CallerGone."""
        key = origin_of(upstream)
        while not fresh and (connection := self._pop(key)) is not None:
            if self._is_usable(connection):
                return connection
            connection.close()
        return Connection(upstream, timeout_s, self._clock, self._resolver, caller)

    def give_back(self, connection: Connection) -> None:
        """Keep a connection whose response has been read to its end; close any other."""
        if not connection.is_reusable():
            connection.close()
            return
        connection.idle_since = self._clock.wall()
        with self._lock:
            self._idle.append(connection)
            surplus = self._idle[: -self.max_idle]
            del self._idle[: -self.max_idle]
        _close(surplus)

    def prune(self) -> None:
        """Close what upstreams have closed, and what was idle for too long; called now and then by the door."""
        with self._lock:
            idle, self._idle = self._idle, []
            usable = [connection for connection in idle if self._is_usable(connection)]
            self._idle = usable
        _close([connection for connection in idle if connection not in usable])

    def close(self) -> None:
        """Close all idle connections."""
        with self._lock:
            idle, self._idle = self._idle, []
        _close(idle)

    def _pop(self, key: tuple[str, str, int]) -> Connection | None:
        with self._lock:
            for index in range(len(self._idle) - 1, -1, -1):
                if self._idle[index].key == key:
                    return self._idle.pop(index)
        return None

    def _is_usable(self, connection: Connection) -> bool:
        # Wall time: while an environment is frozen the monotonic clock may stand still.
        return 0 <= self._clock.wall() - connection.idle_since < MAX_IDLE_S and not connection.is_dead()


def _close(connections: list[Connection]) -> None:
    for connection in connections:
        connection.close()
