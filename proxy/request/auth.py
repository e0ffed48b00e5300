"""Who calls: the client key of a request, compared in constant time with the hashes in the secret."""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING

from proxy import errors

if TYPE_CHECKING:
    from proxy.message import Request
    from proxy.secret.schema import Config


def client_of(request: Request, config: Config) -> str:
    """The id of the caller's key, empty when the secret lists none. Raises ProxyError 401."""
    if not config.client_keys:
        return ""
    key = presented_key(request)
    if not key and request.candidate:
        return ""  # IAM has vouched for this caller, and the control plane knows no client's key
    if not key:
        raise errors.missing_key()
    digest = hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()
    caller = ""
    # No early end: how long it takes must not show how many keys were tried.
    for client in config.client_keys:
        if hmac.compare_digest(digest, client.digest):
            caller = client.id
    if not caller:
        raise errors.wrong_key()
    return caller


def presented_key(request: Request) -> str:
    """The bearer token, or x-api-key when Authorization is absent or is SigV4's (behind an IAM route)."""
    scheme, _, token = request.header("authorization").partition(" ")
    if scheme.lower() == "bearer":
        return token.strip()
    return request.header("x-api-key").strip()
