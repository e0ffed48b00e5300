"""Who calls: the client key of a request, compared in constant time with the hashes in the secret, and its limits."""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote

from proxy import errors

if TYPE_CHECKING:
    from proxy.message import Request
    from proxy.secret.schema import ClientKey, Config

# What an answer made earlier needs to be read again; it runs no model.
_READS_AN_ANSWER = re.compile(r"/(?:responses|chat/completions)/[^/?]+(?:/(?:cancel|input_items|messages))?(?:\?.*)?")

# Azure's deployments, OpenAI's old engines, Bedrock's and Gemini's own APIs name a model in the path.
_models_in_path = re.compile(r"/(?:deployments|engines|models?)/([^/]+)", re.IGNORECASE).findall


def client_of(request: Request, config: Config, now: float) -> ClientKey | None:
    """The caller's key; None when the secret lists none. `now`: seconds since the epoch. Raises ProxyError 401."""
    if not config.client_keys:
        return None
    key = presented_key(request)
    if not key and request.candidate:
        return None  # IAM has authenticated this caller, and the control plane has no client key
    if not key:
        raise errors.missing_key()
    digest = hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()
    caller: ClientKey | None = None
    # No early end: how long it takes must not show how many keys were tried.
    for client in config.client_keys:
        if hmac.compare_digest(digest, client.digest):
            caller = client
    if caller is None:
        raise errors.wrong_key()
    if caller.expires is not None and now >= caller.expires:
        raise errors.expired_key()
    return caller


def presented_key(request: Request) -> str:
    """The bearer token, else x-api-key or api-key (Authorization may be SigV4's, behind an IAM route)."""
    scheme, _, token = request.header("authorization").partition(" ")
    if scheme.lower() == "bearer":
        return token.strip()
    return (request.header("x-api-key") or request.header("api-key")).strip()


def check_model(client: ClientKey | None, method: str, path: str, model: str) -> None:
    """Refuse a model that the caller's key may not use. Raises ProxyError 403.

    `path`: below the base URL, with its query. Each model counts that body, path or query names, for the upstream
    chooses among them. A request that names no model is refused as well, for a batch or an assistant may name any:
    except reading what an earlier request answered.
    """
    if client is None or client.models is None:
        return
    named = [name for name in (model, *_models_in(path)) if name]
    for name in named:
        if name not in client.models:
            raise errors.model_not_allowed(name)
    reads = method in ("GET", "HEAD") or path.endswith("/cancel")
    if not named and not (reads and _READS_AN_ANSWER.fullmatch(path)):
        raise errors.model_not_allowed("")


def _models_in(path: str) -> list[str]:
    plain, _, query = path.partition("?")
    of_query = [value for name, value in parse_qsl(query) if name.lower() == "model"]
    return [*_models_in_path(unquote(plain)), *of_query]
