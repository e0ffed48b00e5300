"""One keep-alive connection to an upstream: bytes out in one write, a response in, and certainty about what was seen.

Why not http.client: it sends head and body in two packets, reads heads with an e-mail parser, and when an idle
connection turns out to be dead it cannot tell whether the upstream saw the request.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxy.http.framing import CHUNKED, UNTIL_CLOSE, ChunkDecoder, response_length
from proxy.http.head import HeadError, ResponseHead, connection_options, end_of_response_head, parse_response
from proxy.upstream.wire import Wire

if TYPE_CHECKING:
    from collections.abc import Iterable

    from proxy.clock import Clock
    from proxy.secret.schema import Upstream
    from proxy.upstream.resolve import Resolver

# Linux's delayed acknowledgements end after a pause longer than the retransmission timeout (0.2 s and up).
QUICK_AFTER_S = 1.0
MAX_INTERIM = 20  # 1xx heads before the answer's


class UpstreamFailure(Exception):
    """The upstream could not be reached, or stopped. `unseen`: it cannot have seen the request."""

    def __init__(self, code: str, message: str, *, unseen: bool = False) -> None:
        super().__init__(message)
        self.code = code
        self.unseen = unseen


class Connection:
    """A connected socket and at most one response in progress on it."""

    def __init__(self, upstream: Upstream, timeout_s: float, clock: Clock, resolver: Resolver, caller: int) -> None:
        self.key = origin_of(upstream)
        self.used = False
        self.idle_since = 0.0
        self._clock = clock
        self._quick_to_ack = True  # peers acknowledge the first packets at once
        self._buffer = b""
        self._length = 0  # of the body's rest, CHUNKED or UNTIL_CLOSE
        self._chunks = ChunkDecoder(lenient=True)
        self._ended = True  # the response in progress has been read to its end
        self._persistent = False
        try:
            self._wire = Wire(upstream, clock.monotonic() + timeout_s, clock, resolver, caller)
        except TimeoutError:
            message = _no(upstream, f"connection within {timeout_s:g} s")
            raise UpstreamFailure("connect_timeout", message, unseen=True) from None
        except (OSError, ValueError) as error:  # ValueError: a name that IDNA or TLS does not take
            message = _no(upstream, f"connection: {_reason(error)}")
            raise UpstreamFailure("connect_error", message, unseen=True) from None

    def is_dead(self) -> bool:
        """Whether an idle connection cannot be used any more."""
        return self._wire.is_dead

    def exchange(
        self, parts: Iterable[bytes | bytearray | memoryview], method: str, timeout_s: float, caller: int
    ) -> ResponseHead:
        """Send a whole request, return the response's head once it has arrived. Raises UpstreamFailure, CallerGone.

        The timeout holds for all of it, however slowly the head may trickle in.
        """
        wire = self._wire
        self._quick_to_ack = not self.used or self._clock.wall() - self.idle_since >= QUICK_AFTER_S
        self._ended = self._persistent = False
        acknowledged = wire.acknowledged()
        wire.until, wire.caller = self._clock.monotonic() + timeout_s, caller
        try:
            self._send(parts, acknowledged)
            head = self._read_head()
            self._begin_body(head, method)
        except TimeoutError:
            message = f"The upstream did not answer within {timeout_s:g} s."
            raise UpstreamFailure("first_byte_timeout", message, unseen=self._is_unseen(acknowledged)) from None
        except EOFError:
            # An end of file that does not acknowledge the request was on its way before the request arrived.
            message = "The upstream closed the connection without an answer."
            raise UpstreamFailure("upstream_disconnected", message, unseen=self._is_unseen(acknowledged)) from None
        except OSError as error:
            # A reset acknowledges nothing, so silence about the request is a proof only of a peer that would have
            # acknowledged it at once.
            message = f"The upstream broke the connection without an answer ({_reason(error)})."
            unseen = self._quick_to_ack and self._is_unseen(acknowledged)
            raise UpstreamFailure("upstream_disconnected", message, unseen=unseen) from None
        except HeadError as error:
            raise UpstreamFailure("upstream_malformed", f"The upstream's answer is not HTTP: {error}") from None
        self.used = True
        return head

    def _send(self, parts: Iterable[bytes | bytearray | memoryview], acknowledged: int | None) -> None:
        try:
            self._wire.send(parts)
        except (BrokenPipeError, ConnectionResetError):
            # It may have refused the body early and said why: the answer, if any, is still readable.
            if self._wire.acknowledged() == acknowledged:
                raise

    def _read_head(self) -> ResponseHead:
        for _ in range(MAX_INTERIM):
            while (end := end_of_response_head(self._buffer)) < 0:
                data = self._wire.receive()
                if not data:
                    raise EOFError
                self._buffer += data
            head = parse_response(self._buffer[:end])
            self._buffer = self._buffer[end:]
            if head.status >= 200:
                return head
            if head.status == 101:
                raise HeadError(502, "It changes to a protocol that nobody asked for.")
        raise HeadError(502, "It has too many interim heads.")

    def _begin_body(self, head: ResponseHead, method: str) -> None:
        self._length = response_length(head, method)
        self._chunks = ChunkDecoder(lenient=True)
        self._ended = self._length == 0
        options = connection_options(head.fields)
        both = self._length == CHUNKED and head.value("content-length") is not None
        persistent = "close" not in options and (head.minor == 1 or "keep-alive" in options)
        self._persistent = persistent and not both and self._length != UNTIL_CLOSE

    def read(self, timeout_s: float) -> bytes:
        """The next bytes of the body as they arrive; empty at its proper end. Raises UpstreamFailure, CallerGone."""
        if self._ended:
            return b""
        self._wire.until = self._clock.monotonic() + timeout_s
        try:
            return self._read()
        except TimeoutError:
            raise UpstreamFailure("idle_timeout", f"The upstream sent nothing for {timeout_s:g} s.") from None
        except (OSError, EOFError, HeadError) as error:
            message = f"The upstream broke off in mid-body ({_reason(error)})."
            raise UpstreamFailure("upstream_disconnected", message) from None

    def _read(self) -> bytes:
        while True:
            data, self._buffer = self._buffer or self._wire.receive(), b""
            if not data:
                if self._length != UNTIL_CLOSE:
                    raise EOFError("before its end")
                self._ended = True
                return b""
            piece = (self._length == CHUNKED and self._chunks.whole(data)) or self._body_in(data)
            if piece or self._ended:
                return piece

    def _body_in(self, data: bytes) -> bytes:
        """The body's bytes in what has arrived; bytes behind its end go back into the buffer."""
        if self._length == UNTIL_CLOSE:
            return data
        if self._length == CHUNKED:
            pieces, end = self._chunks.feed(data)
            self._ended, self._buffer = self._chunks.done, data[end:]
            return pieces[0] if len(pieces) == 1 else b"".join(pieces)
        piece, self._buffer = data[: self._length], data[self._length :]
        self._length -= len(piece)
        self._ended = not self._length
        return piece

    def is_reusable(self) -> bool:
        """Whether the response has been read to its very end and the upstream keeps the connection open."""
        return self._ended and self._persistent and not self._buffer

    def close(self) -> None:
        """Close the socket; a response in progress is lost."""
        self._ended = True
        self._persistent = False
        self._wire.close()

    def _is_unseen(self, acknowledged: int | None) -> bool:
        return acknowledged is not None and self._wire.acknowledged() == acknowledged


def origin_of(upstream: Upstream) -> tuple[str, str, int]:
    """What two requests must share to share a connection."""
    return upstream.scheme, upstream.host, upstream.port


def _no(upstream: Upstream, what: str) -> str:
    return f"The upstream {upstream.host}:{upstream.port} gave no {what}."


def _reason(error: BaseException) -> str:
    strerror = getattr(error, "strerror", None)
    return (
        str(strerror) if strerror else str(error) if isinstance(error, (HeadError, EOFError)) else type(error).__name__
    )
