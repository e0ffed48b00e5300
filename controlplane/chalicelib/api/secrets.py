"""`/environments/{name}/secret`: store a whole one, change some fields, show it, its history, and go back.

A change is rolled by a deployment with action rotate; `?now=true` skips that. No answer holds a value of a secret.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import partial

from chalicelib.domain.aws.secrets import SecretInfo
from chalicelib.domain.errors import BadRequest, Conflict, NotFound
from chalicelib.domain.names import Names
from chalicelib.domain.records import SecretState
from chalicelib.domain.secret_fingerprints import changed_fields
from chalicelib.domain.secret_schema import Secret, check, parsed
from chalicelib.domain.times import Clock, stamp
from chalicelib.lifecycle.idempotency import refuse_another_body, secret_claim
from chalicelib.lifecycle.secret_changes import Change, Stored, rotation, store, ttl_s
from chalicelib.lifecycle.start import begin
from chalicelib.ports import Aws

from .answers import Answer, ApiCall, answer_stored
from .environment_in_path import secret_ports
from .queries import secret_query
from .responses import StoredSecret


def put(call: ApiCall, aws: Aws, clock: Clock) -> Answer[StoredSecret]:
    """Store a whole secret: key, models and timeouts. It is checked on the candidate before users get it.

    200 where nobody is served yet, or with `?now=true`; else 202 with the deployment that rolls it. `?wait=true` queues
    behind a running deployment. `If-None-Match: *` refuses to replace a secret.
    """
    names, body, aws = Names(call.path["name"]), call.json(), secret_ports(call, aws)
    after = check(body)  # before anything is read: a malformed document changes nothing
    info = aws.secrets.find(names.secret)
    if info is not None and call.headers.get("if-none-match") == "*":
        raise Conflict(
            f"environment {names.environment} has a secret already",
            code="SecretExists",
            field="name",
            remedy="PATCH /environments/{name}/secret changes some of its fields.",
        )
    restored = _restored(info, names, aws)
    before = _document(names, aws) if info and info.current else {}
    return _store(_Wish(call, names, body, before or {}, body, after, info, restored), aws, clock)


def patch(call: ApiCall, aws: Aws, clock: Clock) -> Answer[StoredSecret]:
    """Change some fields of the secret: null removes a field, and the fields that are not sent stay.

    404 while there is no secret. Else as PUT. A scheduled deletion is cancelled.
    """
    names, changes, aws = Names(call.path["name"]), call.json(), secret_ports(call, aws)
    if not changes:
        raise BadRequest("the body changes nothing", field="body", remedy='Send the fields to change: {"api_key": …}.')
    info = aws.secrets.find(names.secret)
    if info is None or not info.current:
        raise NotFound(
            f"environment {names.environment} has no secret yet", field="name", remedy="PUT a whole one first."
        )
    restored = _restored(info, names, aws)
    before = _document(names, aws)
    if before is None:
        raise Conflict(
            "the stored document is malformed, so its other fields cannot be kept",
            code="SecretMalformed",
            field="(document)",
            remedy="PUT a whole one first.",
        )
    after = {name: value for name, value in {**before, **changes}.items() if value is not None}
    return _store(_Wish(call, names, changes, before, after, check(after), info, restored), aws, clock)


@dataclass(frozen=True, slots=True)
class _Wish:
    """A change as the caller sent it (`body`), and what the secret becomes. restored: a deletion was cancelled."""

    call: ApiCall
    names: Names
    body: Mapping[str, object]
    before: Mapping[str, object]
    after: Mapping[str, object]
    secret: Secret
    info: SecretInfo | None
    restored: bool


def _restored(info: SecretInfo | None, names: Names, aws: Aws) -> bool:
    """Cancel a scheduled deletion, so that what the secret held can be read; whether there was one."""
    if info is None or not info.doomed:
        return False
    aws.secrets.restore(names.secret)
    return True


def _document(names: Names, aws: Aws) -> dict[str, object] | None:
    """The current document; None when it is no JSON object."""
    try:
        document = parsed(aws.secrets.read(names.secret).text)
    except BadRequest:
        return None
    return document if isinstance(document, dict) else None


def _store(wish: _Wish, aws: Aws, clock: Clock) -> Answer[StoredSecret]:
    query = secret_query(wish.call.query)
    environment = wish.names.environment
    claim = secret_claim(wish.call.headers.get("idempotency-key"), wish.call.caller, environment, wish.body)
    # An ID made from the document would turn "back to the key before last" into a repetition that changes nothing.
    version_id = hashlib.sha256((claim.key if claim else str(uuid.uuid4())).encode()).hexdigest()
    if claim and (earlier := aws.records.claimed(claim.key)):
        refuse_another_body(claim, earlier)
        return _answer(wish, _earlier(wish.names, version_id, aws), aws)
    change = Change(
        names=wish.names,
        before=wish.info,
        version_id=version_id,
        text=json.dumps(wish.after),
        caller=wish.call.caller,
        reason=query.reason,
        if_busy=query.if_busy,
        at_once=query.now,
    )
    # The key makes a repeated request find the deployment of one that died before its claim was written.
    key = f"secret-{version_id}"
    stored = store(change, partial(begin, aws=aws, clock=clock, caller=change.caller, key=key), aws, clock)
    if claim:
        aws.records.claim(claim, stored.version_id, stamp(clock()))
    return _answer(wish, stored, aws)


def _earlier(names: Names, version_id: str, aws: Aws) -> Stored:
    """The outcome of the request that this one repeats."""
    environment = aws.records.environment(names.environment)
    deployment = rotation(names.environment, version_id, aws)
    if deployment is not None:
        return Stored(SecretState.ROLLING, version_id, deployment, ttl_s(environment))
    return Stored(SecretState.LIVE if environment.live else SecretState.STORED, version_id, within_s=ttl_s(environment))


def _answer(wish: _Wish, stored: Stored, aws: Aws) -> Answer[StoredSecret]:
    info = aws.secrets.find(wish.names.secret)
    deployment = stored.deployment
    body = StoredSecret(
        environment=wish.names.environment,
        secret_arn=info.arn if info else "",
        version_id=stored.version_id,
        state=stored.state,
        deployment=deployment.id if deployment else None,
        users_have_it_within_s=stored.within_s,
        models=tuple(sorted(wish.secret.models)),
        client_keys=tuple(wish.secret.client_keys),
        changed=changed_fields(wish.before, wish.after),
        warning=_warning(wish, aws),
    )
    return answer_stored(body)


def _warning(wish: _Wish, aws: Aws) -> str | None:
    good = aws.records.environment(wish.names.environment).last_good
    adopted = good.config.get("secret_arn") if good else None
    if adopted:
        return f"The environment uses another secret, {adopted}; this one takes effect once config.secret_arn is null."
    warnings = [_open(wish.before, wish.secret.client_keys)]
    if wish.restored:
        warnings.append("The secret was scheduled for deletion; that is cancelled.")
    return " ".join(filter(None, warnings)) or None


def _open(before: Mapping[str, object], client_keys: Collection[str]) -> str:
    if before.get("client_keys") and not client_keys:
        return "The secret lists no client keys any more: the proxy then serves every caller."
    return ""
