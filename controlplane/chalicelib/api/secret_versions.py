"""`/environments/{name}/secret` and its `/history` and `/rollback`: which versions there are, never their values."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

from chalicelib.domain.aws.secrets import CURRENT, PENDING, SecretInfo, SecretVersion
from chalicelib.domain.codec import decode
from chalicelib.domain.errors import BadRequest, Conflict, NotFound
from chalicelib.domain.model import Environment
from chalicelib.domain.names import Names
from chalicelib.domain.secret_fingerprints import fingerprints
from chalicelib.domain.secret_schema import check, parsed
from chalicelib.domain.times import Clock
from chalicelib.lifecycle.secret_changes import Change, store
from chalicelib.lifecycle.start import begin
from chalicelib.ports import Aws

from .answers import Answer, ApiCall, answer_stored
from .environment_in_path import PARAMETER, secret_ports
from .queries import refuse_unknown, secret_query
from .responses import SecretHistory, SecretVersionView, SecretView, StoredSecret


@dataclass(frozen=True, slots=True)
class SecretRollback:
    """The body of POST …/secret/rollback. version_id: None for the version before the current one."""

    version_id: str | None = None


def show(call: ApiCall, aws: Aws, clock: Clock) -> Answer[SecretView]:
    """The secret's fields, each with a fingerprint of its value, and the version that users have. Never a value.

    404 while the environment has no secret. An adopted secret is named, and not read.
    """
    refuse_unknown(call.query, (PARAMETER,))
    names, aws = Names(call.path["name"]), secret_ports(call, aws)
    environment = aws.records.environment(names.environment)
    adopted = environment.last_good.config.get("secret_arn") if environment.last_good else None
    if adopted:
        return Answer(200, SecretView(environment=names.environment, secret_arn=str(adopted), adopted=True))
    info = _find(names, aws)
    if info.doomed or not info.current:
        view = SecretView(environment=names.environment, secret_arn=info.arn, scheduled_for_deletion=info.doomed)
        return Answer(200, view)
    stored = aws.secrets.read(names.secret)
    view = SecretView(
        environment=names.environment,
        secret_arn=info.arn,
        version_id=stored.version_id,
        pending_version_id=info.stages.get(PENDING),
        stored_at=stored.created_at.isoformat() if stored.created_at else None,
    )
    try:
        document = parsed(stored.text)
        secret = check(document)
    except BadRequest as error:
        return Answer(200, replace(view, problem=error.message))
    shown = fingerprints(document) if isinstance(document, dict) else {}
    models, client_keys = tuple(sorted(secret.models)), tuple(secret.client_keys)
    return Answer(200, replace(view, fields=shown, models=models, client_keys=client_keys))


def history(call: ApiCall, aws: Aws, clock: Clock) -> Answer[SecretHistory]:
    """The versions that can still be gone back to, newest first, with the releases that ran with each."""
    refuse_unknown(call.query, (PARAMETER,))
    names, aws = Names(call.path["name"]), secret_ports(call, aws)
    info = _find(names, aws)
    if info.doomed:
        return Answer(200, SecretHistory(names.environment, info.arn, ()))
    environment = aws.records.environment(names.environment)
    versions = [version for version in aws.secrets.versions(names.secret) if version.stages]
    return Answer(200, SecretHistory(names.environment, info.arn, tuple(_view(item, environment) for item in versions)))


def _view(version: SecretVersion, environment: Environment) -> SecretVersionView:
    return SecretVersionView(
        version_id=version.id,
        stored_at=version.created_at.isoformat() if version.created_at else None,
        current=CURRENT in version.stages,
        pending=PENDING in version.stages,
        deployments=tuple(
            release.deployment_id for release in environment.good if release.secret_version == version.id
        ),
    )


def rollback(call: ApiCall, aws: Aws, clock: Clock) -> Answer[StoredSecret]:
    """Roll an earlier version of the secret; without `version_id` that of the release before. The code stays.

    It is checked on the candidate as every other version; `?now=true` skips that. 404 without an earlier version.
    """
    query = secret_query(call.query)
    names, aws = Names(call.path["name"]), secret_ports(call, aws)
    wanted = decode(SecretRollback, call.json() if call.body else {}).version_id
    info = _find(names, aws)
    environment = aws.records.environment(names.environment)
    version = wanted or _earlier(info, environment)
    if version not in info.stages.values():
        raise NotFound(
            f"the secret has no version {version}" if version else "there is no earlier version of the secret",
            field="version_id",
            remedy=f"GET /environments/{names.environment}/secret/history lists those that are left.",
        )
    if version == info.current:
        raise Conflict(
            f"version {version} is current already",
            code="AlreadyCurrent",
            field="version_id",
            remedy=f"GET /environments/{names.environment}/secret/history lists the others.",
        )
    document = parsed(aws.secrets.read_version(names.secret, version).text)
    secret = check(document)
    change = Change(
        names=names,
        before=info,
        version_id=version,
        text="",
        caller=call.caller,
        reason=query.reason,
        if_busy=query.if_busy,
        at_once=query.now,
    )
    stored = store(change, partial(begin, aws=aws, clock=clock, caller=change.caller, key=None), aws, clock)
    body = StoredSecret(
        environment=names.environment,
        secret_arn=info.arn,
        version_id=version,
        state=stored.state,
        deployment=stored.deployment.id if stored.deployment else None,
        users_have_it_within_s=stored.within_s,
        models=tuple(sorted(secret.models)),
        client_keys=tuple(secret.client_keys),
        changed=(),
    )
    return answer_stored(body)


def _earlier(info: SecretInfo, environment: Environment) -> str:
    """The secret version of the release before the live one; if that had the same, of the newest other one; "" for
    none. A release that was rolled back is newer than the one before, and not the one to go back to."""
    releases = (*filter(None, (environment.previous,)), *environment.good)
    versions = (release.secret_version for release in releases)
    left = (version for version in versions if version and version != info.current)
    return next((version for version in left if version in info.stages.values()), "")


def _find(names: Names, aws: Aws) -> SecretInfo:
    info = aws.secrets.find(names.secret)
    if info is None:
        raise NotFound(
            f"environment {names.environment} has no secret yet", field="name", remedy="PUT a whole one first."
        )
    return info
