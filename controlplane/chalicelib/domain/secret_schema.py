"""Checks an environment's secret before it is stored and again before it is rolled out.

The schema is the proxy's (`proxy/secret/schema.py`, shipped in the control plane's zips): what is stored is what the
proxy reads. Two rules are added, because a person waits for the verdict: a key for api.openai.com must look like one
and the document must fit into Secrets Manager. No message holds a value of the secret, only names of fields.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from chalicelib.domain.errors import BadRequest
from proxy.secret import schema

OPENAI_HOST = "api.openai.com"
_OPENAI_KEY = re.compile(r"sk-[A-Za-z0-9_-]{16,}")
_MAX_BYTES = 65_536  # what Secrets Manager takes


@dataclass(frozen=True, slots=True)
class Secret:
    """What may be shown of a secret: all but its keys. models: target by alias; client_keys: their ids."""

    schema: int
    base_url: str  # empty for OpenAI's
    models: Mapping[str, str]
    client_keys: Sequence[str] = ()
    cors_origins: Sequence[str] = ()
    upstreams: Sequence[str] = ()


def parsed(text: str) -> object:
    """The document in a secret's text. Raises BadRequest (code SecretMalformed)."""
    try:
        return schema.parse(text)
    except schema.SecretError as error:
        raise _refusal(error) from None


def check(document: object) -> Secret:
    """What may be shown of a document. Raises BadRequest (code SecretMalformed) naming the first wrong field."""
    try:
        _check_size(document)
        config = schema.read(document)
        for upstream in (config.upstream, *config.upstreams.values()):
            _check_openai_key(upstream)
    except schema.SecretError as error:
        raise _refusal(error) from None
    base_url = document.get("base_url") if isinstance(document, Mapping) else None
    return Secret(
        schema=config.schema,
        base_url=base_url or "",
        models={alias: model.target for alias, model in config.models.items()},
        client_keys=tuple(client.id for client in config.client_keys),
        cors_origins=config.cors_origins,
        upstreams=tuple(config.upstreams),
    )


def _check_size(document: object) -> None:
    size = len(json.dumps(document).encode())
    if size > _MAX_BYTES:
        raise schema.SecretError(
            schema.DOCUMENT, f"is {size} bytes long; Secrets Manager takes {_MAX_BYTES}", "Store less in it."
        )


def _check_openai_key(upstream: schema.Upstream) -> None:
    if upstream.host != OPENAI_HOST or _OPENAI_KEY.fullmatch(upstream.api_key):
        return
    field = f"upstreams.{upstream.name}.api_key" if upstream.name else "api_key"
    raise schema.SecretError(
        field,
        "does not look like an OpenAI key (sk-, then at least 16 letters, digits, - or _)",
        "Copy the key again from the provider's console; for another provider set base_url.",
    )


def _refusal(error: schema.SecretError) -> BadRequest:
    subject = "the secret" if error.field == schema.DOCUMENT else f"the secret's field {error.field}"
    return BadRequest(f"{subject} {error.must}", code="SecretMalformed", field=error.field, remedy=error.remedy)
