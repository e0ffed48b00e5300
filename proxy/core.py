"""The core: `respond(request) -> response`. The three doors differ in transport only.

What is answered here never reaches the upstream: health, preflight, refused keys, paths and sizes. All the
rest is forwarded. An exception that leaves `respond` is a bug; the door reports it as its platform expects.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING
from urllib.parse import quote

from proxy import errors
from proxy.exchange import Exchange
from proxy.message import Request, Response, StreamBroken
from proxy.request import auth, cors
from proxy.request.headers import valid_request_id
from proxy.request.paths import below_base
from proxy.response import models

if TYPE_CHECKING:
    from proxy.clock import Clock
    from proxy.secret.cache import SecretCache
    from proxy.secret.schema import Config
    from proxy.settings import Settings
    from proxy.upstream.forward import Forwarder

_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_JSON = ("content-type", "application/json")


class Proxy:
    """Answers requests; made once a process by wiring.py."""

    def __init__(self, settings: Settings, secrets: SecretCache, forwarder: Forwarder, clock: Clock) -> None:
        self._settings = settings
        self._secrets = secrets
        self._forwarder = forwarder
        self._clock = clock

    def respond(self, request: Request) -> Response:
        """The response to a request, its body still to be read. Own errors have OpenAI's shape."""
        exchange = self._begin(request)
        config: Config | None = None
        try:
            if request.path == "/health" and request.method != "OPTIONS":
                response, config = self._health(request, exchange)
            else:
                config = self._secrets.of(candidate=request.candidate).get()
                response = self._route(request, config, exchange)
        except errors.ProxyError as error:
            exchange.error = exchange.error or error.code or error.kind
            response = _reply(exchange, error.status, error.body(), *error.headers)
        exchange.status = response.status
        self._decorate(request, response, config)
        return response

    def refuse(self, request: Request, error: errors.ProxyError) -> Response:
        """The answer to a request that a door could not take as it came, or that a bug kept from its answer."""
        exchange = self._begin(request)
        exchange.error = error.code or error.kind
        response = _reply(exchange, error.status, error.body(), *error.headers)
        exchange.status = response.status
        self._decorate(request, response, None)
        return response

    def _begin(self, request: Request) -> Exchange:
        given = request.header("x-request-id")
        request_id = given if valid_request_id(given) else request.gateway_id or f"req_{os.urandom(16).hex()}"
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
            return Response(204, cors.preflight_headers(request, config), (), exchange)
        exchange.client = auth.client_of(request, config)
        if len(request.body) > request.body_limit:
            raise errors.too_large(len(request.body), request.body_limit)
        if self._settings.unreleased and not request.candidate:
            raise errors.not_released()
        path = below_base(request.method, request.path, request.query)
        if request.method == "GET" and (path == "/models" or path.startswith(("/models?", "/models/"))):
            return self._models(request, path, config, exchange)
        return self._forwarder.forward(request, path, config, exchange)

    def _models(self, request: Request, path: str, config: Config, exchange: Exchange) -> Response:
        alias = models.alias_in(path, config)
        if alias:
            exchange.model, exchange.target = alias, config.models[alias].target
            path = "/models/" + quote(exchange.target, safe=":")
        response = self._forwarder.forward(request, path, config, exchange)
        if response.status != 200 or not config.models or (path.startswith("/models/") and not alias):
            return response
        try:
            body = b"".join(response.body)
        except StreamBroken as broken:
            raise errors.upstream_failed(broken.kind, str(broken)) from None
        body = models.as_alias(body, alias) if alias else models.with_aliases(body, config.models)
        response.headers = [pair for pair in response.headers if pair[0] != "content-length"]
        response.headers.append(("content-length", str(len(body))))
        response.body = (body,)
        return response

    def _health(self, request: Request, exchange: Exchange) -> tuple[Response, Config | None]:
        try:
            config = self._secrets.of(candidate=request.candidate).get()
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
        "client_keys": len(config.client_keys),
        "cors_origins": list(config.cors_origins),
        "retries": config.retries,
        "timeouts": {"first_byte_s": limits.first_byte_s, "idle_s": limits.idle_s, "total_s": limits.total_s},
    }


def _reply(exchange: Exchange, status: int, body: bytes, *headers: tuple[str, str]) -> Response:
    exchange.bytes_out = len(body)
    return Response(status, [_JSON, ("content-length", str(len(body))), *headers], (body,), exchange)
