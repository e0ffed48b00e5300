"""The core: `respond(request) -> response`. The three doors differ in transport only.

What is answered here never reaches an upstream: health, preflight, refused keys, paths and sizes. All the rest is
forwarded. An exception that leaves `respond` is a bug; the door reports it as its platform expects.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING
from urllib.parse import quote

from proxy import errors
from proxy.exchange import CALLER_GONE, CallerGone, Exchange
from proxy.message import Response
from proxy.model_list import ModelList, is_model_list
from proxy.outbound import Outbound
from proxy.request import auth, cors
from proxy.request.encoding import decoded
from proxy.request.headers import valid_request_id
from proxy.request.model import find_model
from proxy.request.origin import check_origin
from proxy.request.paths import below_base, without_credentials
from proxy.request.rates import RateLimits

if TYPE_CHECKING:
    from proxy.clock import Clock
    from proxy.message import Request
    from proxy.outbound import Forwarding
    from proxy.secret.cache import SecretCache
    from proxy.secret.schema import ClientKey, Config
    from proxy.settings import Settings

CALLER_GONE_STATUS = 499  # nginx's; nobody receives it, but the log has it
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_JSON = ("content-type", "application/json")


class Proxy:
    """Answers requests; made once a process by wiring.py."""

    def __init__(self, settings: Settings, secrets: SecretCache, forwarder: Forwarding, clock: Clock) -> None:
        self._settings = settings
        self._secrets = secrets
        self._forwarder = forwarder
        self._models = ModelList(forwarder)
        self._clock = clock
        self._rates = RateLimits(clock)

    def respond(self, request: Request) -> Response:
        """The response to a request, its body still to be read. Own errors have OpenAI's shape."""
        exchange = self._begin(request)
        config: Config | None = None
        try:
            if request.path == "/health" and request.method != "OPTIONS":
                response, config = self._health(request, exchange)
            else:
                config = self._secrets.of(candidate=request.reads_pending).get()
                response = self._route(request, config, exchange)
        except errors.ProxyError as error:
            response = _refusal(exchange, error)
        except CallerGone:
            exchange.error = CALLER_GONE
            response = _reply(exchange, CALLER_GONE_STATUS, b"")
        exchange.status = response.status
        self._decorate(request, response, config)
        return response

    def admit(self, request: Request) -> None:
        """Refuse by its head a request whose body has not been read. Raises ProxyError."""
        config = self._secrets.held()
        if config is not None and request.path != "/health" and request.method != "OPTIONS":
            self._check_head(request, config)

    def refuse(self, request: Request, error: errors.ProxyError) -> Response:
        """The answer to a request that a door could not take as it came, or that a bug kept from its answer."""
        exchange = self._begin(request)
        response = _refusal(exchange, error)
        exchange.status = response.status
        self._decorate(request, response, self._secrets.held())
        return response

    def _begin(self, request: Request) -> Exchange:
        wanted = request.header("x-request-id")
        request_id = wanted if valid_request_id(wanted) else request.gateway_id or f"req_{os.urandom(16).hex()}"
        return Exchange(
            request_id,
            self._clock.monotonic(),
            method=request.method,
            path=request.path[:256],
            gateway_id=request.gateway_id,
            invocation_id=request.invocation_id,
            candidate=request.candidate,
            bytes_in=len(request.body),
        )

    def _route(self, request: Request, config: Config, exchange: Exchange) -> Response:
        if request.method not in _METHODS:
            raise errors.wrong_method(request.method, _METHODS)
        if request.method == "OPTIONS":
            return self._options(request, config, exchange)
        client = self._check_head(request, config)
        exchange.client = "" if client is None else client.id
        if len(request.body) > request.body_limit:
            raise errors.too_large(len(request.body), request.body_limit)
        if self._settings.unreleased and not request.candidate:
            raise errors.not_released()
        path = below_base(request.method, request.path, request.query)
        if client is not None:
            self._rates.take(client)
        return self._forward(request, path, config, exchange, client)

    def _options(self, request: Request, config: Config, exchange: Exchange) -> Response:
        """A preflight's answer. In stream mode it has a byte, since streamed answers without a body were reported to
        hang at Function URLs and in other runtimes; one on the candidate's path is bare, for the check that sees it.
        """
        headers = cors.preflight_headers(request, config)
        is_preflight = bool(request.header("access-control-request-method"))
        if self._settings.response_mode == "buffered" or (request.candidate and not is_preflight):
            return Response(204, headers, (), exchange)
        exchange.bytes_out = 1
        headers += [("content-type", "text/plain"), ("content-length", "1")]
        return Response(200, headers, (b" ",), exchange)

    def _check_head(self, request: Request, config: Config) -> ClientKey | None:
        """What a request's head decides. Raises ProxyError."""
        check_origin(request, config)
        client = auth.client_of(request, config, self._clock.wall())
        if "websocket" in request.header("upgrade").lower():
            raise errors.no_web_socket()
        return client

    def _forward(
        self, request: Request, path: str, config: Config, exchange: Exchange, client: ClientKey | None
    ) -> Response:
        if is_model_list(request.method, path):
            return self._models.answer(request, path, config, exchange, client)
        if sum(name == "content-type" for name, _ in request.headers) > 1:
            raise errors.bad_request("The request must have one Content-Type header.", "invalid_header")
        request = decoded(request)
        named = find_model(request.header("content-type"), request.body)
        auth.check_model(client, request.method, path, "" if named is None else named.name)
        caller_key = auth.presented_key(request)
        path = without_credentials(path, caller_key)
        return self._forwarder.forward(Outbound(request, path, config, exchange, named, caller_key))

    def _health(self, request: Request, exchange: Exchange) -> tuple[Response, Config | None]:
        try:
            config = self._secrets.of(candidate=request.reads_pending).get()
        except errors.ProxyError as error:
            if not request.candidate:
                return _reply(exchange, 503, b'{"status": "unavailable"}'), None
            text = {"status": "unavailable", "reason": error.message, **self._identity()}
            return _reply(exchange, 503, json.dumps(text).encode()), None
        answer: dict[str, object] = {"status": "ok"}
        if request.candidate:
            answer |= {**self._identity(), "secret": _shown(config)}
        return _reply(exchange, 200, json.dumps(answer).encode()), config

    def _identity(self) -> dict[str, str]:
        return {"version": self._settings.function_version, "artifact": self._settings.artifact_digest}

    def _decorate(self, request: Request, response: Response, config: Config | None) -> None:
        exchange = response.exchange
        if request.method == "HEAD" and isinstance(response.body, tuple):  # an own answer; the upstream's is empty
            response.body, exchange.bytes_out = (), 0
        overhead_ms = exchange.overhead_s(self._clock.monotonic()) * 1000.0
        response.headers.append(("x-request-id", exchange.request_id))
        response.headers.append(("x-proxy-overhead-ms", f"{overhead_ms:.3f}"))
        response.headers.append(("x-proxy-upstream-ms", f"{exchange.upstream_s * 1000.0:.3f}"))
        if exchange.target and exchange.target != exchange.model:
            # A header is ASCII, a model's name may be anything.
            target = exchange.target if exchange.target.isascii() else quote(exchange.target, safe="/:@")
            response.headers.append(("x-proxy-model", target))
        cors.add_headers(response.headers, request, config)


def _shown(config: Config) -> dict[str, object]:
    """What the control plane must know of the secret to check the proxy against it: no key, no hash of one."""
    limits = config.timeouts
    return {
        "version_id": config.version_id,
        "schema": config.schema,
        "models": sorted(config.models),
        "upstreams": sorted(config.upstreams),
        "client_keys": len(config.client_keys),
        "cors_origins": list(config.cors_origins),
        "retries": config.retries,
        "timeouts": {"first_byte_s": limits.first_byte_s, "idle_s": limits.idle_s, "total_s": limits.total_s},
    }


def _refusal(exchange: Exchange, error: errors.ProxyError) -> Response:
    exchange.error = exchange.error or error.code or error.kind
    exchange.is_callers = error.is_callers
    return _reply(exchange, error.status, error.body(), *error.headers)


def _reply(exchange: Exchange, status: int, body: bytes, *headers: tuple[str, str]) -> Response:
    exchange.bytes_out = len(body)
    return Response(status, [_JSON, ("content-length", str(len(body))), *headers], (body,), exchange)
