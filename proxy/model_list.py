"""`GET` and `HEAD /models`: the upstream's list with the aliases in it, and one alias as a model object."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

from proxy import errors
from proxy.message import StreamBroken
from proxy.outbound import Outbound
from proxy.request import auth
from proxy.response import models

if TYPE_CHECKING:
    from proxy.exchange import Exchange
    from proxy.message import Request, Response
    from proxy.outbound import Forwarding
    from proxy.secret.schema import ClientKey, Config


def is_model_list(method: str, path: str) -> bool:
    """Whether a request reads the list of models or one of them; `path`: below the base URL."""
    return method in ("GET", "HEAD") and (path == "/models" or path.startswith(("/models?", "/models/")))


class ModelList:
    """Answers requests about models."""

    def __init__(self, forwarder: Forwarding) -> None:
        self._forwarder = forwarder

    def answer(
        self, request: Request, path: str, config: Config, exchange: Exchange, client: ClientKey | None
    ) -> Response:
        """The list, or one model. A caller with allowed models sees those only. Raises ProxyError, CallerGone."""
        name = unquote(path.partition("?")[0].removeprefix("/models").removeprefix("/"))
        model = config.models.get(name)
        if name:
            auth.check_model(client, request.method, "", name)
        if model is not None:
            exchange.model, exchange.target, exchange.upstream = name, model.target, model.upstream
            path = "/models/" + quote(model.target, safe=":")
        key = auth.presented_key(request)
        upstream = "" if model is None else model.upstream
        response = self._forwarder.forward(Outbound(request, path, config, exchange, None, key, upstream))
        exchange.target = "" if model is None else model.target
        allowed = None if client is None else client.models
        if response.status != 200 or (name and model is None) or not (config.models or allowed is not None):
            return response
        return _rewritten(response, request, config, name, allowed)


def _rewritten(
    response: Response, request: Request, config: Config, name: str, allowed: frozenset[str] | None
) -> Response:
    response.headers = [pair for pair in response.headers if pair[0] not in ("content-length", "etag")]
    if request.method == "HEAD":
        return response
    try:
        body = b"".join(response.body)
    except StreamBroken as broken:
        raise errors.upstream_failed(broken.kind, str(broken)) from None
    body = models.as_alias(body, name) if name else models.with_aliases(body, config.models, allowed)
    response.headers.append(("content-length", str(len(body))))
    response.body = (body,)
    response.exchange.bytes_out = len(body)
    return response
