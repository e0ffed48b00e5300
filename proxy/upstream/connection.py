"""One keep-alive connection to the upstream: bytes out in one write, a response in, and no doubt about what
was seen.

Why not http.client's own connection: it sends head and body in two packets, and when an idle connection turns
out to be dead it cannot tell whether the upstream saw the request. Its response parser is used as it is.
"""

from __future__ import annotations

import http.client
import io
import select
import socket
import struct
from typing import TYPE_CHECKING, cast

from proxy import tls

if TYPE_CHECKING:
    from typing_extensions import Buffer

    from proxy.clock import Clock
    from proxy.secret.schema import Upstream
    from proxy.upstream.resolve import Resolver

CHUNK = 65_536
_QUICKACK = getattr(socket, "TCP_QUICKACK", None)
_USER_TIMEOUT = getattr(socket, "TCP_USER_TIMEOUT", None)
_INFO = getattr(socket, "TCP_INFO", None)
_ACKED = struct.Struct("=Q")
_ACKED_AT = 120  # offset of tcpi_bytes_acked in Linux's struct tcp_info (since 4.1)


# Linux's delayed acknowledgements end after a pause longer than the retransmission timeout (0.2 s and up).
QUICK_AFTER_S = 1.0


class UpstreamFailure(Exception):
    """The upstream could not be reached, or stopped. `unseen`: it cannot have seen the request."""

    def __init__(self, code: str, message: str, *, unseen: bool = False) -> None:
        super().__init__(message)
        self.code = code
        self.unseen = unseen


class Connection:
    """A connected socket and at most one response in progress on it."""

    def __init__(self, upstream: Upstream, timeout_s: float, clock: Clock, resolver: Resolver) -> None:
        self.key = (upstream.scheme, upstream.host, upstream.port)
        self.used = False
        self.idle_since = 0.0
        self._quick_to_ack = True  # peers acknowledge the first packets at once
        self._clock = clock
        self._response: http.client.HTTPResponse | None = None
        until = clock.monotonic() + timeout_s
        try:
            sock = _connect(upstream, until, clock, resolver)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if _USER_TIMEOUT is not None:
                # What the peer has not acknowledged by then never arrived: a NAT that forgot this connection
                # while the environment was frozen drops packets silently.
                sock.setsockopt(socket.IPPROTO_TCP, _USER_TIMEOUT, max(1, int(timeout_s * 1000)))
            if upstream.scheme == "https":
                try:
                    sock.settimeout(max(0.001, until - clock.monotonic()))
                    sock = tls.context().wrap_socket(sock, server_hostname=upstream.host)
                except BaseException:
                    sock.close()
                    raise
            self._reader = DeadlineReader(sock, clock)
            self._sock = sock
        except TimeoutError:
            raise UpstreamFailure(
                "connect_timeout", _no(upstream, f"connection within {timeout_s:g} s"), unseen=True
            ) from None
        except (OSError, ValueError) as error:  # ValueError: a name that IDNA or TLS does not take
            raise UpstreamFailure(
                "connect_error", _no(upstream, f"connection: {_reason(error)}"), unseen=True
            ) from None

    def is_dead(self) -> bool:
        """Whether an idle connection has anything to read: an end of file, or bytes nobody asked for."""
        poll = select.poll()
        poll.register(self._sock, select.POLLIN)
        return bool(poll.poll(0))

    def exchange(self, payload: bytes, method: str, timeout_s: float) -> http.client.HTTPResponse:
        """Send a whole request, return the response once its head has arrived. Raises UpstreamFailure.

        The timeout holds for all of it, however slowly the head may trickle in.
        """
        sock = self._sock
        self._quick_to_ack = not self.used or self._clock.wall() - self.idle_since >= QUICK_AFTER_S
        acked = self._acked()
        self._reader.until = self._clock.monotonic() + timeout_s
        try:
            sock.settimeout(timeout_s)
            try:
                sock.sendall(payload)
            except (BrokenPipeError, ConnectionResetError):
                # It may have refused the body early and said why: the answer, if any, is still readable.
                if self._acked() == acked:
                    raise
            # HTTPResponse wants of a socket its makefile() only.
            response = self._response = http.client.HTTPResponse(cast("socket.socket", self._reader), method=method)
            response.begin()
            while 101 < response.status < 200:  # begin() skips 100 only
                response.headers = None  # type: ignore[assignment] # begin() does nothing where there are any
                response.begin()
            if response.status == 101:
                raise http.client.HTTPException  # nobody asked for another protocol
        except TimeoutError:
            message = f"The upstream did not answer within {timeout_s:g} s."
            raise UpstreamFailure("first_byte_timeout", message, unseen=self._is_unseen(acked)) from None
        except http.client.RemoteDisconnected:
            # An end of file that does not acknowledge the request was on its way before the request arrived.
            message = "The upstream closed the connection without an answer."
            raise UpstreamFailure("upstream_disconnected", message, unseen=self._is_unseen(acked)) from None
        except OSError as error:
            # A reset acknowledges nothing, so silence about the request is a proof only of a peer that would have
            # acknowledged it at once.
            message = f"The upstream broke the connection without an answer ({_reason(error)})."
            unseen = self._quick_to_ack and self._is_unseen(acked)
            raise UpstreamFailure("upstream_disconnected", message, unseen=unseen) from None
        except http.client.HTTPException as error:
            message = f"The upstream's answer is not HTTP ({type(error).__name__})."
            raise UpstreamFailure("upstream_malformed", message) from None
        self.used = True
        return response

    def read(self, timeout_s: float) -> bytes:
        """The next bytes of the body as they arrive; empty at its proper end. Raises UpstreamFailure."""
        response = self._response
        if response is None or response.isclosed():
            return b""
        self._reader.until = self._clock.monotonic() + timeout_s
        left = response.length
        try:
            chunk = response.read1(CHUNK)
        except TimeoutError:
            raise UpstreamFailure("idle_timeout", f"The upstream sent nothing for {timeout_s:g} s.") from None
        except (OSError, http.client.HTTPException) as error:
            message = f"The upstream broke off in mid-body ({_reason(error)})."
            raise UpstreamFailure("upstream_disconnected", message) from None
        if not chunk and left == 0:
            response.close()  # read1 does not notice that it has reached the end of a body of known length
        elif not chunk and left:
            # read1 takes an early end of file for the end.
            raise UpstreamFailure("upstream_disconnected", f"The upstream broke off {left} bytes before the end.")
        return chunk

    def _is_unseen(self, acked: int | None) -> bool:
        return acked is not None and self._acked() == acked

    def is_reusable(self) -> bool:
        """Whether the response has been read to its end and the upstream keeps the connection open."""
        response = self._response
        return response is not None and response.isclosed() and not response.will_close

    def close(self) -> None:
        """Close the socket; a response in progress is lost."""
        if self._response is not None:
            self._response.close()
            self._response = None
        self._sock.close()

    def _acked(self) -> int | None:
        # How many bytes the peer's kernel has acknowledged; None where the system does not tell.
        if _INFO is None:
            return None
        info = self._sock.getsockopt(socket.IPPROTO_TCP, _INFO, _ACKED_AT + _ACKED.size)
        return int(_ACKED.unpack_from(info, _ACKED_AT)[0]) if len(info) >= _ACKED_AT + _ACKED.size else None


class Pool:
    """Idle connections, the warmest first. Threads may share it."""

    MAX_IDLE_S = 50.0  # load balancers commonly close after 60 s

    def __init__(self, clock: Clock, resolver: Resolver) -> None:
        self._clock = clock
        self._resolver = resolver
        self._idle: list[Connection] = []

    def take(self, upstream: Upstream, timeout_s: float, *, fresh: bool = False) -> Connection:
        """An idle connection that is alive as far as can be known, or a new one. Raises UpstreamFailure."""
        key = (upstream.scheme, upstream.host, upstream.port)
        now = self._clock.wall()
        while self._idle and not fresh:
            try:
                connection = self._idle.pop()
            except IndexError:  # another thread was quicker
                break
            if (
                connection.key == key
                and 0 <= now - connection.idle_since < self.MAX_IDLE_S
                and not connection.is_dead()
            ):
                return connection
            connection.close()
        return Connection(upstream, timeout_s, self._clock, self._resolver)

    def give_back(self, connection: Connection) -> None:
        """Keep a connection whose response has been read to its end; close any other."""
        if connection.is_reusable():
            connection.idle_since = self._clock.wall()
            self._idle.append(connection)
        else:
            connection.close()

    def close(self) -> None:
        """Close all idle connections."""
        while self._idle:
            self._idle.pop().close()


class DeadlineReader(io.RawIOBase):
    """A socket's bytes until a moment on Clock.monotonic(), however many reads it takes to get them."""

    def __init__(self, sock: socket.socket, clock: Clock) -> None:
        super().__init__()
        self.until = 0.0
        self._sock = sock
        self._clock = clock

    def makefile(self, _mode: str) -> io.BufferedReader:
        """What http.client reads a response from; closing it leaves the socket open for the next one."""
        return io.BufferedReader(_Unclosable(self), CHUNK)

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: Buffer) -> int:
        """One packet's bytes. Raises TimeoutError at the deadline."""
        left = self.until - self._clock.monotonic()
        if left <= 0:
            raise TimeoutError
        self._sock.settimeout(left)
        if _QUICKACK is not None:
            # A head and a body in two packets would otherwise wait 40 ms for our delayed acknowledgement.
            self._sock.setsockopt(socket.IPPROTO_TCP, _QUICKACK, 1)
        return self._sock.recv_into(buffer)


class _Unclosable(io.RawIOBase):
    def __init__(self, source: DeadlineReader) -> None:
        super().__init__()
        self.readinto = source.readinto  # type: ignore[method-assign]

    def readable(self) -> bool:
        return True


def _connect(upstream: Upstream, until: float, clock: Clock, resolver: Resolver) -> socket.socket:
    """A connection to the first address that takes one; name resolution counts. Raises OSError, ValueError."""
    addresses = resolver.addresses(upstream.host, upstream.port, until - clock.monotonic())
    failure = OSError(f"{upstream.host} has no address")
    for number, (family, kind, protocol, _, address) in enumerate(addresses, start=1):
        left = until - clock.monotonic()
        if left <= 0:
            raise TimeoutError
        sock = socket.socket(family, kind, protocol)
        try:
            sock.settimeout(left if number == len(addresses) else left / 2)
            sock.connect(address)
            return sock
        except OSError as error:
            sock.close()
            failure = error
    raise failure


def _no(upstream: Upstream, what: str) -> str:
    return f"The upstream {upstream.host}:{upstream.port} gave no {what}."


def _reason(error: BaseException) -> str:
    strerror = getattr(error, "strerror", None)
    return str(strerror) if strerror else type(error).__name__
