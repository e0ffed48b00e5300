"""A non-blocking socket to an upstream: connecting, sending and receiving, each until a deadline."""

from __future__ import annotations

import errno
import os
import socket
import struct
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from proxy import tls
from proxy.upstream.waiting import NO_CALLER, READABLE, WRITABLE, is_readable, wait

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from proxy.clock import Clock
    from proxy.secret.schema import Upstream

T = TypeVar("T")
Address = tuple[socket.AddressFamily, socket.SocketKind, int, str, tuple[Any, ...]]  # as getaddrinfo has it
CHUNK = 65_536
KERNEL_LIMIT_EXACTNESS_S = 0.001
_JOINED = 262_144  # bytes up to which head and body are copied together, to leave in one packet
_TLS_EVENTS = {2: READABLE, 3: WRITABLE}  # by ssl.SSL_ERROR_WANT_READ and _WRITE, without importing ssl
_QUICKACK = getattr(socket, "TCP_QUICKACK", None)
_USER_TIMEOUT = getattr(socket, "TCP_USER_TIMEOUT", None)
_INFO = getattr(socket, "TCP_INFO", None)
_TIMEVAL = struct.Struct("@ll")
_ACKED = struct.Struct("=Q")
_ACKED_AT = 120  # offset of tcpi_bytes_acked in Linux's struct tcp_info (since 4.1)


def timeval(seconds: float) -> bytes:
    """The kernel's form of a time limit: at least a microsecond, since 0 means for ever, and below a million of them
    beside the whole seconds."""
    return _TIMEVAL.pack(*divmod(int(seconds * 1e6) + 1, 1_000_000))


class Resolving(Protocol):
    """Resolves names within a time limit; resolve.py does."""

    def addresses(self, host: str, port: int, timeout_s: float, caller: int) -> Sequence[Address]:
        """The addresses of a host, best first. Raises OSError, ValueError, CallerGone."""
        ...


class Wire:
    """One connected socket. `until` (on Clock.monotonic()) ends every wait; `caller` is a descriptor that does, too."""

    def __init__(self, upstream: Upstream, until: float, clock: Clock, resolver: Resolving, caller: int) -> None:
        self.until = until
        self.caller = caller
        self._clock = clock
        self._has_received = False  # a part of the answer to what was sent last
        self._blocks = False
        self._kernel_limit = 0.0  # seconds that the kernel lets a blocking receive take
        self._tls = upstream.scheme == "https"
        self._sock = self._connect(upstream, resolver)
        try:
            self._prepare(upstream, until - clock.monotonic())
            self._descriptor = self._sock.fileno()
        except BaseException:
            self._sock.close()
            raise

    def _connect(self, upstream: Upstream, resolver: Resolving) -> socket.socket:
        """A connection to the first address that takes one; name resolution counts. Raises OSError, ValueError."""
        addresses = resolver.addresses(upstream.host, upstream.port, self._left(), self.caller)
        failure = OSError(f"{upstream.host} has no address")
        for number, address in enumerate(addresses, start=1):
            left = self._left()
            try:
                return self._connect_to(address, left if number == len(addresses) else left / 2)
            except OSError as error:
                failure = error
        raise failure

    def _connect_to(self, address: Address, seconds: float) -> socket.socket:
        family, kind, protocol, _, where = address
        sock = socket.socket(family, kind, protocol)
        try:
            sock.setblocking(False)
            status = sock.connect_ex(where)
            if status == errno.EINPROGRESS:
                wait(sock.fileno(), WRITABLE, seconds, self.caller)
                status = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if status:
                raise OSError(status, os.strerror(status))
            return sock
        except BaseException:
            sock.close()
            raise

    def _prepare(self, upstream: Upstream, seconds: float) -> None:
        self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if _USER_TIMEOUT is not None:
            # What the peer has not acknowledged by then never arrived: a NAT that forgot this connection
            # while the environment was frozen drops packets silently.
            self._sock.setsockopt(socket.IPPROTO_TCP, _USER_TIMEOUT, max(1, int(seconds * 1000)))
        if self._tls:
            wrapped = tls.context().wrap_socket(
                self._sock, server_hostname=upstream.host, do_handshake_on_connect=False
            )
            self._sock = wrapped
            self._until_done(wrapped.do_handshake, READABLE)

    def send(self, parts: Iterable[bytes | bytearray | memoryview]) -> None:
        """Send all parts, small ones in one packet. Raises OSError (TimeoutError at the deadline), CallerGone."""
        self._has_received = False
        if self._blocks:
            self._sock.setblocking(False)
            self._blocks = False
        pieces = list(parts)
        if sum(map(len, pieces)) <= _JOINED:
            pieces = [b"".join(pieces)]
        for piece in pieces:
            view = memoryview(piece)
            while view:
                sent = self._until_done(partial(self._sock.send, view[:_JOINED]), WRITABLE)
                view = view[sent:]

    def receive(self) -> bytes:
        """The next bytes; empty at the end of the connection.

        Raises OSError (TimeoutError at the deadline), CallerGone.
        """
        if self._has_received and _QUICKACK is not None:
            # A head and a body in two packets would otherwise wait 40 ms for our delayed acknowledgement of the first.
            self._sock.setsockopt(socket.IPPROTO_TCP, _QUICKACK, 1)
        self._has_received = True
        if self._tls:
            if not self._sock.pending():  # type: ignore[attr-defined]  # an SSLSocket's
                self._wait(READABLE)
            return self._until_done(partial(self._sock.recv, CHUNK), READABLE)
        left = self._left()
        if self.caller != NO_CALLER:
            wait(self._descriptor, READABLE, left, self.caller)
        elif not self._blocks or abs(left - self._kernel_limit) > KERNEL_LIMIT_EXACTNESS_S:
            self._let_block(left)
        try:
            return self._sock.recv(CHUNK)
        except BlockingIOError:
            raise TimeoutError from None

    def _let_block(self, seconds: float) -> None:
        """Let a receive wait so long in the kernel: no poll lies between a packet's arrival and its bytes."""
        if not self._blocks:
            self._sock.setblocking(True)
            self._blocks = True
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, timeval(seconds))
        self._kernel_limit = seconds

    def _until_done(self, operation: Callable[[], T], event: int) -> T:
        """Repeat an operation of the non-blocking socket until it is done; `event` is what it waits for."""
        while True:
            try:
                return operation()
            except BlockingIOError:
                self._wait(event)
            except OSError as error:
                if not self._tls or error.errno not in _TLS_EVENTS:
                    raise
                self._wait(_TLS_EVENTS[error.errno])

    @property
    def is_dead(self) -> bool:
        """Whether an idle connection has anything to read: its end, or bytes that nobody asked for."""
        return is_readable(self._sock.fileno())

    def acknowledged(self) -> int | None:
        """How many bytes the peer's kernel has acknowledged; None where the system does not tell."""
        if _INFO is None:
            return None
        info = self._sock.getsockopt(socket.IPPROTO_TCP, _INFO, _ACKED_AT + _ACKED.size)
        return int(_ACKED.unpack_from(info, _ACKED_AT)[0]) if len(info) >= _ACKED_AT + _ACKED.size else None

    def close(self) -> None:
        """Close the socket."""
        self._sock.close()

    def _wait(self, event: int) -> None:
        wait(self._sock.fileno(), event, self._left(), self.caller)

    def _left(self) -> float:
        left = self.until - self._clock.monotonic()
        if left <= 0:
            raise TimeoutError
        return left
