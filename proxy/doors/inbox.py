"""From a caller's bytes to its requests: no sockets here. What leaves a doubt about where a request ends is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from proxy import errors
from proxy.exchange import CALLER_GONE
from proxy.http.framing import CHUNKED, ChunkDecoder, request_length
from proxy.http.head import HeadError, connection_options, end_of_request_head, parse_request, parse_request_line
from proxy.message import Request

if TYPE_CHECKING:
    from collections.abc import Callable

    from proxy.http.head import RequestHead


class Refused(Exception):
    """A request that gets an error for an answer, and whose connection must then close.

    `request`: what of it is clear.
    """

    def __init__(self, request: Request, error: errors.ProxyError) -> None:
        super().__init__(error.message)
        self.request = request
        self.error = error


class Inbox:
    """What one caller sends. `admit` may refuse a request by its head, before its body is read."""

    def __init__(self, body_limit: int, admit: Callable[[Request], None], caller: int) -> None:
        self.keep_alive = True  # the request that was taken last leaves the connection open
        self.minor = 1  # of its HTTP/1.x
        self.must_continue = False  # the caller waits for `100 Continue`
        self._limit = body_limit
        self._admit = admit
        self._blank = Request("", "", "", (), b"", body_limit, caller=caller, local=True)
        self._buffer = bytearray()
        # Some send an empty line behind a body (RFC 9112 section 2.2). One is passed over, however the bytes arrive.
        self._has_passed_line = False
        self._request: Request | None = None  # its head has arrived
        self._left = 0  # bytes of its body that are missing, or CHUNKED
        self._chunks: ChunkDecoder | None = None
        self._body = bytearray()

    @property
    def is_idle(self) -> bool:
        """Whether no byte of a request has arrived."""
        return self._request is None and not self._buffer

    @property
    def is_in_body(self) -> bool:
        """Whether a head has arrived and its body has not."""
        return self._request is not None

    def feed(self, data: bytes) -> None:
        """Bytes have arrived."""
        self._buffer += data

    def next(self) -> Request | None:
        """The next whole request; None while more must arrive. Raises Refused."""
        try:
            if self._request is None and not self._begin():
                return None
            if not self._take_body():
                return None
        except HeadError as error:
            refusal = errors.ProxyError(error.status, error.message, code=error.code)
            raise Refused(self._request or self._blank, refusal) from None
        except errors.ProxyError as error:
            raise Refused(self._request or self._blank, error) from None
        return self._whole()

    def _whole(self) -> Request | None:
        request, self._request, self._chunks = self._request, None, None
        if request is not None and self._body:
            request = replace(request, body=self._body)
            self._body = bytearray()
        return request

    def end(self) -> Refused | None:
        """The caller sends no more: how to refuse what it has begun; None between two requests."""
        if self.is_idle:
            return None
        # Half a body must not go upstream as if it were whole: a file cut in two would be stored.
        message = "The connection ended before the request did."
        code = CALLER_GONE if self._request is not None else "malformed_request"
        return Refused(self._request or self._blank, errors.bad_request(message, code))

    def late(self) -> Refused:
        """The request took too long to arrive."""
        error = errors.ProxyError(408, "The request did not arrive in time.", code="request_timeout")
        return Refused(self._request or self._blank, error)

    def _begin(self) -> bool:
        """Take a head, if a whole one has arrived. Raises HeadError, ProxyError."""
        if not self._has_passed_line and self._buffer[:2] == b"\r\n":
            del self._buffer[:2]
            self._has_passed_line = True
        end = end_of_request_head(self._buffer)
        if end < 0:
            return False
        raw = bytes(self._buffer[:end])
        del self._buffer[:end]
        self._has_passed_line = False
        head = self._parse(raw)
        self._request = self._request_of(head)
        self.minor = head.minor
        self.keep_alive = head.minor == 1 and "close" not in connection_options(head.fields)
        length = request_length(head)
        if length == CHUNKED or length > len(self._buffer):
            self._admit(self._request)  # before a body is read that nobody will want
        if length > self._limit:
            raise errors.too_large(length, self._limit)
        self._left = length
        self._chunks = ChunkDecoder() if length == CHUNKED else None
        expects = "100-continue" in (value.lower() for value in head.values("expect"))
        self.must_continue = expects and head.minor == 1 and length != 0 and not self._buffer
        return True

    def _parse(self, raw: bytes) -> RequestHead:
        """A head. Raises HeadError; what is clear of the request is then kept for the log."""
        try:
            return parse_request(raw)
        except HeadError:
            self._request = self._request_of(parse_request_line(raw.partition(b"\r\n")[0]))
            raise

    def _request_of(self, head: RequestHead) -> Request:
        target, fields = head.target, tuple(head.fields)
        if target[:8].lower().startswith(("http://", "https://")):  # absolute-form, whose authority is the Host
            host, slash, path = target.partition("://")[2].partition("/")
            target = slash + path or "/"
            fields = (("host", host), *(pair for pair in fields if pair[0] != "host"))
        path, _, query = target.partition("?")
        return Request(head.method, path, query, fields, b"", self._limit, caller=self._blank.caller, local=True)

    def _take_body(self) -> bool:
        """Take what has arrived of the body; whether it is whole."""
        if self._chunks is not None:
            self._take_chunks(self._chunks)
            return self._chunks.done
        if self._left:
            part = memoryview(self._buffer)[: self._left]
            self._body += part
            size = len(part)
            part.release()
            del self._buffer[:size]
            self._left -= size
        return self._left == 0

    def _take_chunks(self, chunks: ChunkDecoder) -> None:
        data, self._buffer = bytes(self._buffer), bytearray()
        pieces, end = chunks.feed(data)
        for piece in pieces:
            self._body += piece
        size = len(self._body) + chunks.announced
        if size > self._limit:
            raise errors.too_large(size, self._limit)
        self._buffer += data[end:]
