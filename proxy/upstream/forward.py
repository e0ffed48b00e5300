"""Takes one request to an upstream: attempts, retries, fallback models and their upstreams.

An attempt is repeated only before the first byte of an answer has gone to the caller, and only when the upstream
cannot have seen it (no connection, or nothing acknowledged) or asks for it (408, 409, 429, 5xx; decision 103).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxy import errors
from proxy.request.headers import upstream_head
from proxy.response.families import family_of
from proxy.response.mask import Mask
from proxy.secret.schema import targets_of
from proxy.upstream import retry, waiting
from proxy.upstream.call import Answer, Call
from proxy.upstream.connection import UpstreamFailure
from proxy.upstream.relay import respond, total_timeout

if TYPE_CHECKING:
    from proxy.clock import Clock
    from proxy.message import Request, Response
    from proxy.outbound import Outbound
    from proxy.request.model import NamedModel
    from proxy.secret.cache import SecretCache
    from proxy.secret.schema import Config
    from proxy.upstream.call import Parts
    from proxy.upstream.connection import Connection
    from proxy.upstream.pool import Pool

REPEATABLE = ("GET", "HEAD")  # methods that may be sent again although the upstream may have seen them
MAX_RECONNECTS = 3
DRAIN_BYTES = 65_536  # of an error body that nobody wants, to keep its connection
_WITH_BODY = ("POST", "PUT", "PATCH")


class Forwarder:
    """Sends requests over pooled connections; reads the secret again when an upstream refuses its key."""

    def __init__(self, pool: Pool, secrets: SecretCache, clock: Clock) -> None:
        self._pool = pool
        self._secrets = secrets
        self._clock = clock
        self._mask: tuple[Config | None, Mask | None] = (None, None)

    def forward(self, outbound: Outbound) -> Response:
        """The upstream's answer. Raises ProxyError, CallerGone."""
        call, targets = self._call(outbound)
        answer = self._first_good(call, targets, outbound.named)
        exchange = outbound.exchange
        exchange.upstream_status = answer.status
        exchange.upstream_request_id = call.mask.text(answer.header("x-request-id") or "")
        return respond(call, answer, self._pool, self._clock)

    def _call(self, outbound: Outbound) -> tuple[Call, list[tuple[str, str]]]:
        """The call, and its targets: (model, upstream) in order."""
        request, config, exchange, named = outbound.request, outbound.config, outbound.exchange, outbound.named
        targets = [("", outbound.upstream)]
        if named is not None:
            exchange.model = named.name
            targets = targets_of(named.name, config.models)
        deadline = _deadline(outbound)
        upstream, mask = config.upstream_named(targets[0][1]), self._mask_of(config)
        family = family_of(outbound.path.partition("?")[0])
        call = Call(request, outbound.path, config, upstream, exchange, mask, family, deadline, outbound.caller_key)
        return call, targets

    def _mask_of(self, config: Config) -> Mask:
        held, mask = self._mask
        if held is not config or mask is None:
            mask = Mask(config)
            self._mask = (config, mask)
        return mask

    def _first_good(self, call: Call, targets: list[tuple[str, str]], named: NamedModel | None) -> Answer:
        """The answer of the first target that gives a usable one, else that of the last."""
        last = len(targets) - 1
        for index, (target, upstream) in enumerate(targets):
            call.exchange.target, call.exchange.upstream = target, upstream
            call.upstream = call.config.upstream_named(upstream)
            try:
                answer = self._attempts(call, _body(call.request, named, target))
            except UpstreamFailure as failure:
                if index == last or self._left(call) <= 0:
                    call.exchange.error = failure.code
                    raise errors.upstream_failed(failure.code, str(failure)) from None
                continue
            if index == last or not answer.is_retryable:
                return answer
            self._discard(answer)
        raise AssertionError("there is always one target")

    def _attempts(self, call: Call, body: Parts) -> Answer:
        """Attempts with one body until an answer is not worth another. Raises UpstreamFailure, CallerGone."""
        failures = 0
        refused: set[str] = set()  # keys, which may be rotated again and again while a request waits
        while True:
            failure: UpstreamFailure | None = None
            answer: Answer | None = None
            try:
                answer = self._once(call, body)
            except UpstreamFailure as error:
                failure = error
                if not (error.unseen or call.request.method in REPEATABLE):
                    raise
            if answer is not None and answer.status == 401 and self._has_other_key(call, refused):
                self._discard(answer)
                continue
            if answer is not None and not answer.is_retryable:
                return answer
            failures += 1
            wait = self._wait_s(call, answer, failures)
            if wait is None:
                return _or_raise(answer, failure)
            if answer is not None:
                self._discard(answer)
            self._pause(call, wait)

    def _has_other_key(self, call: Call, refused: set[str]) -> bool:
        """After a 401: whether the secret has another key for this upstream by now, which the call then uses."""
        refused.add(call.upstream.api_key)
        secrets = self._secrets.of(candidate=call.request.reads_pending)
        config = secrets.replace(refused, call.upstream.name)
        if config is None:
            return False
        call.config, call.upstream = config, config.upstream_named(call.upstream.name)
        call.mask = self._mask_of(config)
        return True

    def _wait_s(self, call: Call, answer: Answer | None, failures: int) -> float | None:
        """Seconds until the next attempt; None when there is none."""
        if failures > call.config.retries:
            return None
        retry_after = None if answer is None else retry.retry_after_s(answer.header, self._clock.wall())
        return retry.wait_s(failures, retry_after, self._clock.random(), self._left(call))

    def _pause(self, call: Call, wait: float) -> None:
        if call.request.caller == waiting.NO_CALLER:
            self._clock.sleep(wait)
        else:
            waiting.pause(wait, call.request.caller)
        call.exchange.waited_s += wait

    def _once(self, call: Call, body: Parts) -> Answer:
        """One attempt that the upstream sees; stale connections are replaced without counting."""
        request, exchange = call.request, call.exchange
        length = sum(map(len, body))
        stated = length if length or request.method in _WITH_BODY else None
        head = upstream_head(call.line(), request.headers, stated, call.upstream, exchange.request_id, call.caller_key)
        exchange.attempts += 1
        for turn in range(MAX_RECONNECTS):
            begun = self._clock.monotonic()
            if self._left(call) <= 0:
                raise total_timeout()
            call.first_byte_by = begun + call.config.timeouts.first_byte_s
            try:
                return self._exchange(call, (head, *body), fresh=turn > 0)
            except Stale:
                exchange.reconnects += 1
            except UpstreamFailure as failure:
                if self._left(call) <= 0:
                    raise total_timeout(unseen=failure.unseen) from None
                raise
            finally:
                exchange.upstream_s += self._clock.monotonic() - begun
        raise UpstreamFailure("upstream_disconnected", "Each connection to the upstream was stale.", unseen=True)

    def _exchange(self, call: Call, parts: Parts, *, fresh: bool) -> Answer:
        """Send on a connection, read the head.

        Raises Stale when the connection was idle and lost the request unseen.
        """
        limits, caller = call.config.timeouts, call.request.caller
        connect_s = min(limits.connect_s, self._left(call))
        connection: Connection = self._pool.take(call.upstream, connect_s, caller, fresh=fresh)
        was_used = connection.used
        try:
            left = max(0.001, self._left(call))
            head = connection.exchange(parts, call.request.method, min(limits.first_byte_s, left), caller)
            return Answer(connection, head)
        except UpstreamFailure as failure:
            connection.close()
            if failure.unseen and was_used:
                raise Stale from None
            raise
        except BaseException:
            connection.close()
            raise

    def _discard(self, answer: Answer) -> None:
        """Throw an answer away; keep its connection when the rest of the body is small."""
        size = 0
        try:
            while size < DRAIN_BYTES and (chunk := answer.connection.read(1.0)):
                size += len(chunk)
        except UpstreamFailure:
            size = DRAIN_BYTES  # give_back closes what is not read to its end
        finally:
            self._pool.give_back(answer.connection)

    def _left(self, call: Call) -> float:
        return call.deadline - self._clock.monotonic()


class Stale(Exception):
    """An idle connection was dead; the upstream has seen nothing of the request."""


def _deadline(outbound: Outbound) -> float:
    """When all attempts of a request must be over, on Clock.monotonic()."""
    config, named, platforms = outbound.config, outbound.named, outbound.request.deadline
    total_s = config.timeouts.total_s if named is None else _total_s(named.name, config)
    own = outbound.exchange.started + total_s
    return own if platforms is None else min(own, platforms)


def _total_s(name: str, config: Config) -> float:
    model = config.models.get(name)
    return config.timeouts.total_s if model is None or model.timeout_s is None else model.timeout_s


def _body(request: Request, named: NamedModel | None, target: str) -> Parts:
    # Not before it is needed: most fallbacks are never tried.
    return (request.body,) if named is None or target == named.name else named.body(target)


def _or_raise(answer: Answer | None, failure: UpstreamFailure | None) -> Answer:
    if answer is not None:
        return answer
    assert failure is not None
    raise failure
