"""`/environments/{name}/secret`: put a whole one, or change some of its fields. No answer ever holds a value of it."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Mapping
from typing import Any

from chalicelib.domain.errors import BadRequest, NotFound
from chalicelib.domain.names import Names
from chalicelib.domain.secret_schema import check, parsed
from chalicelib.domain.times import Clock
from chalicelib.ports import Aws

from .answers import Answer, Call


def put(call: Call, aws: Aws, clock: Clock) -> Answer:
    """Straight into Secrets Manager, in place of what is there. The answer tells what was stored, never the key."""
    names = Names(call.path["name"])
    try:
        before = _stored(names, aws)
    except NotFound:
        before = {}
    return _store(call, names, before, call.json(), aws)


def patch(call: Call, aws: Aws, clock: Clock) -> Answer:
    """The fields given take the place of those that are there, null takes one away, and the others stay: a new key
    loses neither aliases nor client keys. 404 while there is no secret."""
    names = Names(call.path["name"])
    given = call.json()
    if not given:
        raise BadRequest("the body changes nothing", field="body", remedy='Send the fields to change: {"api_key": …}.')
    before = _stored(names, aws)
    after = {name: value for name, value in {**before, **given}.items() if value is not None}
    return _store(call, names, before, after, aws)


def _stored(names: Names, aws: Aws) -> dict[str, Any]:
    """The document that is current, {} for one that is no JSON object. Raises NotFound."""
    found = aws.secrets.find(names.secret)
    if found is None or found.doomed:
        raise NotFound(
            f"environment {names.environment} has no secret yet",
            field="name",
            remedy="PUT a whole one first.",
        )
    try:
        document = parsed(aws.secrets.read(names.secret).text)
    except BadRequest:
        return {}
    return document if isinstance(document, dict) else {}


def _store(call: Call, names: Names, before: Mapping[str, Any], after: Mapping[str, Any], aws: Aws) -> Answer:
    secret = check(after)
    # A token made from the text would make "back to the key before last" a repetition that changes nothing.
    token = call.headers.get("idempotency-key") or str(uuid.uuid4())
    stored = aws.secrets.store(names.secret, json.dumps(after), tags=names.tags, token=_token(token))
    told = {
        "environment": names.environment,
        "secret_arn": stored.arn,
        "version_id": stored.stages.get("AWSCURRENT"),
        "models": sorted(secret.models),
        "client_keys": list(secret.client_keys),
        "changed": sorted(name for name in {*before, *after} if before.get(name) != after.get(name)),
    }
    return Answer(
        200, told | ({"warning": warning} if (warning := _warning(names, before, secret.client_keys, aws)) else {})
    )


def _warning(names: Names, before: Mapping[str, Any], client_keys: Any, aws: Aws) -> str:
    good = aws.records.environment(names.environment).last_good
    adopted = good.config.get("secret_arn") if good else None
    if adopted:
        return f"The environment runs with another secret, {adopted}; this one is used once config.secret_arn is null."
    if before.get("client_keys") and not client_keys:
        return "The secret lists no client keys any more: from now on the proxy serves everybody who reaches it."
    return ""


def _token(key: str) -> str:
    """Secrets Manager takes 32 to 64 characters."""
    return hashlib.sha256(key.encode()).hexdigest()
