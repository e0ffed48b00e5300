"""Takes one request to the upstream: attempts, retries, fallback models, and the answer as it arrives.

An attempt is repeated only before the first byte of an answer has gone to the caller, and only when the
upstream cannot have seen it (no connection, or nothing acknowledged) or asks for it (408, 409, 429, 5xx;
decision 103).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from proxy import errors
from proxy.message import Response, StreamBroken
from proxy.request.headers import upstream_head
from proxy.request.model import find_model
from proxy.response import sse
from proxy.response.headers import downstream
from proxy.response.usage import Watcher
from proxy.upstream import retry
from proxy.upstream.connection import UpstreamFailure

if TYPE_CHECKING:
    import http.client
    from collections.abc import Iterator

    from proxy.clock import Clock
    from proxy.exchange import Exchange
    from proxy.message import Request
    from proxy.request.model import NamedModel
    from proxy.secret.cache import SecretCache
    from proxy.secret.schema import Config
    from proxy.upstream.connection import Connection, Pool

REPEATABLE = ("GET", "HEAD")  # methods that may be sent again although the upstream may have seen them
MAX_RECONNECTS = 3
DRAIN_BYTES = 65_536  # of an error body that nobody wants, to keep its connection


@dataclass(slots=True)
class Call:
    """One request on its way: what stays the same over its attempts."""

    request: Request
    path: str  # below the base URL, with its query
    config: Config
    exchange: Exchange
    deadline: float  # on Clock.monotonic()
    first_byte_by: float = 0.0  # of the current attempt, likewise


class Answer:
    """An upstream's answer of which the head has arrived; `pairs` are its headers, names in lower case."""

    __slots__ = ("connection", "header", "pairs", "status")

    def __init__(self, connection: Connection, response: http.client.HTTPResponse) -> None:
        self.connection = connection
        self.status = response.status
        self.pairs = [(name.lower(), value) for name, value in response.headers.items()]
        self.header = dict(reversed(self.pairs)).get  # the first value of a name

    @property
    def is_retryable(self) -> bool:
        return retry.is_retryable(self.status, self.header("x-should-retry") or "")


class Forwarder:
    """Sends requests over pooled connections; reads the secret again when the upstream refuses the key."""

    def __init__(self, pool: Pool, secrets: SecretCache, clock: Clock) -> None:
        self._pool = pool
        self._secrets = secrets
        self._clock = clock

    def forward(self, request: Request, path: str, config: Config, exchange: Exchange) -> Response:
        """The upstream's answer to `request` at `path` (below the base URL). Raises ProxyError."""
        named = find_model(request.header("content-type"), request.body)
        targets = [""]
        total_s = config.timeouts.total_s
        if named is not None:
            exchange.model = named.name
            model = config.models.get(named.name)
            targets = [named.name] if model is None else [model.target, *_resolved(model.fallbacks, config)]
            if model is not None and model.timeout_s is not None:
                total_s = model.timeout_s
        deadline = exchange.started + total_s
        if request.deadline is not None:
            deadline = min(deadline, request.deadline)
        call = Call(request, path, config, exchange, deadline)
        answer = self._first_good(call, targets, named)
        return self._respond(call, answer)

    def _first_good(self, call: Call, targets: list[str], named: NamedModel | None) -> Answer:
        """The answer of the first target that gives a usable one, else that of the last."""
        last = len(targets) - 1
        for index, target in enumerate(targets):
            call.exchange.target = target
            # Not built before it is needed: a body may have megabytes, and most fallbacks are never tried.
            body = call.request.body if named is None or target == named.name else named.body(target)
            try:
                answer = self._attempts(call, body)
            except UpstreamFailure as failure:
                if index == last or self._left(call) <= 0:
                    call.exchange.error = failure.code
                    raise errors.upstream_failed(failure.code, str(failure)) from None
                continue
            if index == last or not answer.is_retryable:
                return answer
            self._discard(answer)
        raise AssertionError("there is always one target")

    def _attempts(self, call: Call, body: bytes) -> Answer:
        """Attempts with one body until an answer is not worth another. Raises UpstreamFailure."""
        tries = 0
        refused: set[str] = set()  # keys, which may be rotated again and again while a request waits
        while True:
            tries += 1
            failure, answer, retry_after_s = None, None, None
            try:
                answer = self._once(call, body)
            except UpstreamFailure as error:
                failure = error
                if not (error.unseen or call.request.method in REPEATABLE):
                    raise
            if answer is not None:
                if answer.status == 401:
                    refused.add(call.config.upstream.api_key)
                    config = self._secrets.replace(refused)
                    if config is not None:
                        call.config = config
                        self._discard(answer)
                        continue
                if not answer.is_retryable:
                    return answer
                retry_after_s = retry.retry_after_s(answer.header, self._clock.wall())
            wait = retry.wait_s(tries, retry_after_s, self._clock.random(), self._left(call))
            if tries > call.config.retries or wait is None:
                if answer is not None:
                    return answer
                assert failure is not None
                raise failure
            if answer is not None:
                self._discard(answer)
            self._clock.sleep(wait)
            call.exchange.waited_s += wait

    def _once(self, call: Call, body: bytes) -> Answer:
        """One attempt that the upstream sees; stale connections are replaced without counting."""
        request, config, exchange = call.request, call.config, call.exchange
        length = len(body) if body or request.method in ("POST", "PUT", "PATCH") else None
        target = config.upstream.base_path + call.path
        head = upstream_head(request.method, target, request.headers, length, config.upstream, exchange.request_id)
        exchange.attempts += 1
        for round_ in range(MAX_RECONNECTS):
            begun = self._clock.monotonic()
            left = call.deadline - begun
            if left <= 0:
                raise _over()
            limits = config.timeouts
            call.first_byte_by = begun + limits.first_byte_s
            connection = None
            try:
                connection = self._pool.take(config.upstream, min(limits.connect_s, left), fresh=round_ > 0)
                was_used = connection.used
                left = max(0.001, call.deadline - self._clock.monotonic())
                response = connection.exchange(head + body, request.method, min(limits.first_byte_s, left))
                return Answer(connection, response)
            except UpstreamFailure as failure:
                if connection is not None:
                    connection.close()
                    if failure.unseen and was_used and round_ + 1 < MAX_RECONNECTS:
                        exchange.reconnects += 1
                        continue
                if self._left(call) <= 0:
                    raise _over(unseen=failure.unseen) from None
                raise
            finally:
                exchange.upstream_s += self._clock.monotonic() - begun
        raise AssertionError("the last round returns or raises")

    def _respond(self, call: Call, answer: Answer) -> Response:
        """The response for the caller: as a stream, or read to its end where the door needs all of it."""
        exchange = call.exchange
        exchange.upstream_status = answer.status
        exchange.upstream_request_id = answer.header("x-request-id") or ""
        watcher = Watcher(call.path.partition("?")[0], answer.header("content-type") or "")
        exchange.streamed = watcher.is_events
        body = self._body(call, answer.connection, watcher)
        headers = downstream(answer.pairs)
        if not call.request.hold:
            return Response(answer.status, headers, body, exchange)
        try:
            chunks = list(body)
        except StreamBroken as broken:
            raise errors.upstream_failed(broken.kind, str(broken)) from None
        return Response(answer.status, headers, chunks, exchange)

    def _body(self, call: Call, connection: Connection, watcher: Watcher) -> Iterator[bytes]:
        """The body's bytes as they arrive. A broken one ends in an error event, if it is a stream, and
        StreamBroken.
        """
        exchange, now = call.exchange, self._clock.monotonic
        idle_s, last = call.config.timeouts.idle_s, b""
        try:
            while True:
                begun = now()
                if begun >= call.deadline:
                    raise _over()
                # A stream's head comes at once and its first event much later: until then first_byte_s holds.
                limit = idle_s if exchange.first_byte is not None else max(0.001, call.first_byte_by - begun)
                chunk = connection.read(min(limit, call.deadline - begun))
                exchange.upstream_s += (arrived := now()) - begun
                if not chunk:
                    break
                watcher.feed(chunk)
                exchange.bytes_out += len(chunk)
                if exchange.first_byte is None:
                    exchange.first_byte = arrived
                last = chunk
                given = now()
                yield chunk
                exchange.waited_s += now() - given
            if watcher.is_cut():
                raise UpstreamFailure("stream_truncated", "The upstream's stream ended before its closing event.")
        except UpstreamFailure as failure:
            if failure.code == "idle_timeout" and self._left(call) <= 0:
                failure = _over()
            elif failure.code == "idle_timeout" and exchange.first_byte is None:
                failure = UpstreamFailure("first_byte_timeout", str(failure))
            exchange.error = failure.code
            if watcher.is_events and not call.request.hold:
                yield sse.error_event(call.path, failure.code, str(failure), after=last)
            raise StreamBroken(failure.code, str(failure)) from None
        finally:
            counted = watcher.tokens()
            if counted is not None:
                exchange.tokens_in, exchange.tokens_out = counted
            self._pool.give_back(connection)

    def _discard(self, answer: Answer) -> None:
        """Throw an answer away; keep its connection when the rest of the body is small."""
        size = 0
        try:
            while size < DRAIN_BYTES:
                chunk = answer.connection.read(1.0)
                if not chunk:
                    break
                size += len(chunk)
        except UpstreamFailure:
            size = DRAIN_BYTES  # give_back closes what is not read to its end
        self._pool.give_back(answer.connection)

    def _left(self, call: Call) -> float:
        return call.deadline - self._clock.monotonic()


def _over(*, unseen: bool = False) -> UpstreamFailure:
    return UpstreamFailure("total_timeout", "The upstream did not finish within the total timeout.", unseen=unseen)


def _resolved(names: tuple[str, ...], config: Config) -> list[str]:
    """Fallbacks as upstream names: one may itself be an alias."""
    return [config.models[name].target if name in config.models else name for name in names]
