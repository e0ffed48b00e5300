"""Name resolution that ends in time: getaddrinfo itself has no deadline, so it runs in a helper thread."""

from __future__ import annotations

import socket
import threading
from collections.abc import Sequence
from typing import Any

from proxy.upstream.waiting import NO_CALLER, pause

STEP_S = 0.2

Address = tuple[socket.AddressFamily, socket.SocketKind, int, str, tuple[Any, ...]]


class Resolver:
    """Resolves names. Callers that wait for one name share its lookup, so one dead server holds one thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lookups: dict[tuple[str, int], _Lookup] = {}

    def addresses(self, host: str, port: int, timeout_s: float, caller: int = NO_CALLER) -> Sequence[Address]:
        """The addresses of a host, best first.

        Raises OSError (TimeoutError at the limit), ValueError for a name that is none, CallerGone.
        """
        try:  # an address needs no server, hence no thread
            return _lookup(host, port, socket.AI_NUMERICHOST)
        except OSError:
            lookup = self._join(host, port)
        _await(lookup.done, timeout_s, caller)
        if lookup.failure is not None:
            raise lookup.failure
        return lookup.addresses

    def _join(self, host: str, port: int) -> _Lookup:
        with self._lock:
            lookup = self._lookups.get((host, port))
            if lookup is None:
                lookup = self._lookups[host, port] = _Lookup()
                threading.Thread(target=self._run, args=(host, port, lookup), daemon=True).start()
        return lookup

    def _run(self, host: str, port: int, lookup: _Lookup) -> None:
        try:
            lookup.addresses = _lookup(host, port, 0)
        except (OSError, ValueError) as error:  # ValueError: a name that IDNA does not take
            lookup.failure = error
        finally:
            with self._lock:
                del self._lookups[host, port]
            lookup.done.set()


class _Lookup:
    """A lookup in progress, and its result."""

    def __init__(self) -> None:
        self.done = threading.Event()
        self.addresses: Sequence[Address] = ()
        self.failure: OSError | ValueError | None = None


def _await(done: threading.Event, timeout_s: float, caller: int) -> None:
    """Wait for an event in steps, with a look at the caller after each. Raises TimeoutError, CallerGone."""
    while not done.wait(min(timeout_s, STEP_S)):
        timeout_s -= STEP_S
        if timeout_s <= 0:
            raise TimeoutError
        if caller != NO_CALLER:
            pause(0.0, caller)


def _lookup(host: str, port: int, flags: int) -> Sequence[Address]:
    return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=flags)
