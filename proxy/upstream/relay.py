"""Hands an answer on as it arrives: decoded where possible, watched, keys masked, and never ending in silence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxy import errors
from proxy.exchange import CALLER_GONE, CallerGone
from proxy.message import Response, StreamBroken
from proxy.response import sse
from proxy.response.headers import downstream
from proxy.response.mask import BodyMask
from proxy.response.watcher import watcher_for
from proxy.upstream.connection import UpstreamFailure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from proxy.clock import Clock
    from proxy.http.head import Fields
    from proxy.response.coding import Decoder
    from proxy.response.watcher import BodyWatcher
    from proxy.upstream.call import Answer, Call
    from proxy.upstream.pool import Pool

MAX_HELD = 6_291_456  # bytes of an answer that a buffered door can hand over: Lambda's limit


def respond(call: Call, answer: Answer, pool: Pool, clock: Clock) -> Response:
    """The response for the caller: as a stream, or read to its end where the door needs all of it.

    Raises ProxyError where a held answer breaks, or is too large for its door.
    """
    relay = Relay(call, answer, pool, clock)
    if not call.request.hold:
        return Response(answer.status, relay.headers, relay.body(), call.exchange)
    try:
        chunks = _held(relay.body())
    except StreamBroken as broken:
        raise errors.upstream_failed(broken.kind, str(broken)) from None
    return Response(answer.status, relay.headers, chunks, call.exchange)


def _held(body: Iterator[bytes]) -> list[bytes]:
    chunks, size = [], 0
    for chunk in body:
        chunks.append(chunk)
        size += len(chunk)
        if size > MAX_HELD:
            raise errors.response_too_large(MAX_HELD)
    return chunks


class Relay:
    """One answer on its way to the caller."""

    def __init__(self, call: Call, answer: Answer, pool: Pool, clock: Clock) -> None:
        self._call = call
        self._connection = answer.connection
        self._pool = pool
        self._clock = clock
        has_body = call.request.method != "HEAD" and answer.status not in (204, 304)
        coding = _coding(answer) if has_body else ""
        self._decoder = _decoder(coding) if coding != "other" and coding else None
        self.headers = _headers(call, answer, is_decoded=self._decoder is not None)
        kind = "" if coding == "other" or not has_body else answer.header("content-type") or ""
        self._watcher: BodyWatcher = watcher_for(kind, call.family, is_judged=answer.status == 200)
        keys = call.mask.in_errors if answer.status >= 400 else call.mask.anywhere
        self._mask = BodyMask(keys, call.mask.in_errors if self._watcher.is_events else ())
        call.exchange.streamed = self._watcher.is_events

    def body(self) -> Iterator[bytes]:
        """The body's bytes as they arrive. A broken one ends in an error event, if it is a stream, and StreamBroken."""
        exchange, watcher, clock = self._call.exchange, self._watcher, self._clock.monotonic
        try:
            for chunk in self._handed_on():
                exchange.bytes_out += len(chunk)
                handed_over = clock()
                yield chunk
                exchange.caller_s += clock() - handed_over
        except UpstreamFailure as failure:
            # What breaks behind the last event takes nothing from the caller.
            if not watcher.has_ended:
                failure = self._explained(failure)
                exchange.error = failure.code
                if watcher.is_events and watcher.is_between_events and not self._call.request.hold:
                    after_cr = watcher.ends_in_cr
                    yield sse.error_event(self._call.family, failure.code, str(failure), after_cr=after_cr)
                raise StreamBroken(failure.code, str(failure)) from None
        except CallerGone:
            exchange.error = CALLER_GONE
            raise StreamBroken(CALLER_GONE, "The caller hung up.") from None
        finally:
            exchange.upstream_error = self._call.mask.text(watcher.error_code)
            if watcher.tokens is not None:
                exchange.tokens_in, exchange.tokens_out = watcher.tokens
            self._pool.give_back(self._connection)

    def _handed_on(self) -> Iterator[bytes]:
        """What the caller gets, without keys. Raises UpstreamFailure, CallerGone."""
        feed, mask = self._watcher.feed, self._mask.feed
        for chunk in self._decoded(iter(self._receiver(), b"")):
            out = mask(feed(chunk))
            if out:
                yield out
        rest = self._watcher.finish()
        if self._watcher.is_cut():
            raise UpstreamFailure("stream_truncated", "The upstream's stream ended before its closing event.")
        out = mask(rest) + self._mask.finish()
        if out:
            yield out

    def _receiver(self) -> Callable[[], bytes]:
        """A function for the upstream's next bytes, empty at their end. It raises UpstreamFailure, CallerGone."""
        call, clock, read = self._call, self._clock.monotonic, self._connection.read
        exchange, idle_s = call.exchange, call.config.timeouts.idle_s

        def receive() -> bytes:
            begun = clock()
            if begun >= call.deadline:
                raise UpstreamFailure("total_timeout", "")
            # A stream's head comes at once and its first event much later: until then first_byte_s holds.
            limit = idle_s if exchange.first_byte is not None else max(0.001, call.first_byte_by - begun)
            try:
                chunk = read(min(limit, call.deadline - begun))
            finally:
                arrived = clock()
                exchange.upstream_s += arrived - begun
            if chunk and exchange.first_byte is None:
                exchange.begin_body(arrived)
            return chunk

        return receive

    def _decoded(self, chunks: Iterable[bytes]) -> Iterable[bytes]:
        return chunks if self._decoder is None else _decode(self._decoder, chunks)

    def _explained(self, failure: UpstreamFailure) -> UpstreamFailure:
        """The failure by the limit that ended the wait."""
        late = self._clock.monotonic() >= self._call.deadline
        if failure.code == "total_timeout" or (failure.code == "idle_timeout" and late):
            return total_timeout()
        if failure.code == "idle_timeout" and self._call.exchange.first_byte is None:
            return UpstreamFailure("first_byte_timeout", str(failure))
        return failure


def total_timeout(*, unseen: bool = False) -> UpstreamFailure:
    """The total time of a request is over."""
    return UpstreamFailure("total_timeout", "The upstream did not finish within the total timeout.", unseen=unseen)


def _coding(answer: Answer) -> str:
    """The content coding of an answer that can be undone; `other` for one that passes untouched and unjudged."""
    if not answer.header("content-encoding"):
        return ""
    from proxy.response.coding import DECODABLE, coding_of

    coding = coding_of(",".join(value for name, value in answer.fields if name == "content-encoding"))
    is_part = answer.status == 206  # of the encoded bytes
    return coding if not coding or (coding in DECODABLE and not is_part) else "other"


def _decoder(coding: str) -> Decoder:
    from proxy.response.coding import Decoder

    return Decoder(coding)


def _decode(decoder: Decoder, chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Decoded chunks. Raises UpstreamFailure for content that is not encoded as it says."""
    from proxy.response.coding import CodingError

    try:
        for chunk in chunks:
            yield from decoder.feed(chunk)
        yield from decoder.finish()
    except CodingError as error:
        raise UpstreamFailure("upstream_malformed", str(error)) from None


def _headers(call: Call, answer: Answer, *, is_decoded: bool) -> Fields:
    headers = downstream(answer.fields, call.mask)
    if is_decoded:
        of_encoded = ("content-encoding", "content-length", "content-md5", "content-digest", "digest")
        headers = [pair for pair in headers if pair[0] not in of_encoded]
    if answer.header("location") is None and answer.header("content-location") is None:
        return headers
    from proxy.response.location import relative_location  # of redirects only

    rewritten = []
    for name, value in headers:
        target: str | None = value
        if name in ("location", "content-location"):
            target = relative_location(value, call.upstream, call.path)
        if target is not None:
            rewritten.append((name, target))
    return rewritten
