"""`/environments/{name}/secret`: store a whole one, or change some of its fields. No answer holds a value of it."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Collection, Mapping

from chalicelib.domain.errors import BadRequest, NotFound
from chalicelib.domain.names import Names
from chalicelib.domain.secret_schema import check, parsed
from chalicelib.domain.times import Clock
from chalicelib.ports import Aws

from .answers import Answer, ApiCall
from .responses import StoredSecret


def put(call: ApiCall, aws: Aws, clock: Clock) -> Answer[StoredSecret]:
    """Store a secret: key, models and timeouts. It replaces the one in Secrets Manager."""
    names = Names(call.path["name"])
    try:
        before = _stored(names, aws)
    except NotFound:
        before = {}
    return _store(call, names, before, call.json(), aws)


def patch(call: ApiCall, aws: Aws, clock: Clock) -> Answer[StoredSecret]:
    """Change some fields of the secret: null removes a field, and the fields that are not sent stay.

    404 while there is no secret.
    """
    names = Names(call.path["name"])
    changes = call.json()
    if not changes:
        raise BadRequest("the body changes nothing", field="body", remedy='Send the fields to change: {"api_key": …}.')
    before = _stored(names, aws)
    after = {name: value for name, value in {**before, **changes}.items() if value is not None}
    return _store(call, names, before, after, aws)


def _stored(names: Names, aws: Aws) -> dict[str, object]:
    """The current document, {} when it is no JSON object. Raises NotFound."""
    info = aws.secrets.find(names.secret)
    if info is None or info.doomed:
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


def _store(
    call: ApiCall, names: Names, before: Mapping[str, object], after: Mapping[str, object], aws: Aws
) -> Answer[StoredSecret]:
    secret = check(after)
    # A token made from the text would turn "back to the key before last" into a repetition that changes nothing.
    token = call.headers.get("idempotency-key") or str(uuid.uuid4())
    stored = aws.secrets.store(names.secret, json.dumps(after), tags=names.tags, token=_token(token))
    body = StoredSecret(
        environment=names.environment,
        secret_arn=stored.arn,
        version_id=stored.stages.get("AWSCURRENT"),
        models=tuple(sorted(secret.models)),
        client_keys=tuple(secret.client_keys),
        changed=tuple(sorted(name for name in {*before, *after} if before.get(name) != after.get(name))),
        warning=_warning(names, before, secret.client_keys, aws),
    )
    return Answer(200, body)


def _warning(names: Names, before: Mapping[str, object], client_keys: Collection[str], aws: Aws) -> str | None:
    good = aws.records.environment(names.environment).last_good
    adopted = good.config.get("secret_arn") if good else None
    if adopted:
        return f"The environment uses another secret, {adopted}; this one takes effect once config.secret_arn is null."
    if before.get("client_keys") and not client_keys:
        return "The secret lists no client keys any more: the proxy now serves every caller."
    return None


def _token(key: str) -> str:
    """Secrets Manager takes 32 to 64 characters."""
    return hashlib.sha256(key.encode()).hexdigest()
