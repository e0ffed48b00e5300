"""Stores a changed secret: as a version that is rolled first, or, where nobody is served or on request, at once.

A version that is rolled waits under a label of its own until its deployment holds the environment's lock.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from chalicelib.domain.aws.secrets import CURRENT, SecretInfo, release_label, staged_label
from chalicelib.domain.codec import decode_lenient, encode, encode_record
from chalicelib.domain.config import Config
from chalicelib.domain.errors import BadRequest, Conflict, NotFound
from chalicelib.domain.model import Action, Deployment, DeploymentStatus, Environment, Release
from chalicelib.domain.names import Names
from chalicelib.domain.records import HistoryEntry, SecretState
from chalicelib.domain.times import Clock, stamp
from chalicelib.ports import Aws

Begin = Callable[[Mapping[str, object]], Deployment]  # starts a deployment from the body of a POST /deployments


@dataclass(frozen=True, slots=True)
class Change:
    """A checked document on its way. before: the secret as it was read, None where there is none.

    version_id: the new version's; text: the document, or "" for a version that exists already.
    """

    names: Names
    before: SecretInfo | None
    version_id: str
    text: str = field(repr=False)
    caller: str = ""
    reason: str = ""
    if_busy: str = "reject"
    at_once: bool = False


@dataclass(frozen=True, slots=True)
class Stored:
    """What became of a change. within_s: seconds until every process of the proxy reads it, from the promotion on."""

    state: SecretState
    version_id: str
    deployment: Deployment | None = None
    within_s: int | None = None


def store(change: Change, begin: Begin, aws: Aws, clock: Clock) -> Stored:
    """Roll the version, or make it current at once.

    Raises Conflict: EnvironmentBusy, SecretChanged, IdempotencyKeyReused.
    """
    environment = aws.records.environment(change.names.environment)
    if not is_served(environment):
        return _store_unserved(change, environment, aws)
    if change.at_once or change.before is None or not change.before.current:
        return _store_at_once(change, environment, aws, clock)
    return _roll(change, environment, begin, aws)


def is_served(environment: Environment) -> bool:
    """Whether users are served with the environment's own secret."""
    good = environment.last_good
    return good is not None and environment.status != "REMOVED" and not good.config.get("secret_arn")


def rotation(environment: str, version_id: str, aws: Aws) -> Deployment | None:
    """The deployment that rolls, or rolled, this version; None when there is none among the newest."""
    page = aws.records.deployments(environment, None, _NEWEST, None)
    matching = (item for item in page.deployments if item.options.secret_version == version_id)
    return next(matching, None)


_NEWEST = 50


def _store_unserved(change: Change, environment: Environment, aws: Aws) -> Stored:
    if environment.lock is not None and not change.at_once:
        raise Conflict(
            f"environment {environment.name} is busy with deployment {environment.lock.deployment_id}",
            code="EnvironmentBusy",
            field="environment",
            remedy="Wait until it ends, or send ?now=true.",
            holder=environment.lock.deployment_id,
        )
    return Stored(SecretState.STORED, _make_current(change, aws))


def _store_at_once(change: Change, environment: Environment, aws: Aws, clock: Clock) -> Stored:
    version = _make_current(change, aws)
    at = stamp(clock())
    aws.records.update_environment(environment.name, _live_with(environment, version))
    entry = HistoryEntry(
        at=at,
        action="secret",
        outcome=DeploymentStatus.SUCCEEDED.value,
        summary=f"Secret version {version[:8]} was set at once, unchecked",
        who=change.caller,
        why=change.reason,
        requested_at=at,
    )
    aws.records.add_history(environment.name, at, encode(entry))
    return Stored(SecretState.LIVE, version, within_s=ttl_s(environment))


def ttl_s(environment: Environment) -> int:
    """How long a process of the live release may go on with the secret version before."""
    return decode_lenient(Config, dict(environment.live.config)).secret_ttl_s if environment.live else 0


def _live_with(environment: Environment, version: str) -> dict[str, object]:
    """The record's live release with the secret that it has now, so that a rollback does not return to an older one."""
    live = environment.live
    if live is None:
        return {}
    changed = replace(live, secret_version=version)
    others = [release for release in environment.releases if release.identity not in (live.identity, changed.identity)]
    record = encode_record(changed)
    good = {"last_good": record} if _is_live(environment.last_good, live) else {}
    return {"live": record, "releases": [record, *map(encode_record, others)], **good}


def _is_live(release: Release | None, live: Release) -> bool:
    return release is not None and release.identity == live.identity


def _make_current(change: Change, aws: Aws) -> str:
    """The ID of the version that is current now."""
    name, before = change.names.secret, change.before
    if before is None:
        created = aws.secrets.create(
            name,
            change.text,
            tags=aws.settings.tags_beside(change.names.tags),
            version_id=change.version_id,
            key=aws.settings.kms_key_arn,
        )
        return created.current
    if not before.current:
        aws.secrets.add_version(name, change.text, version_id=change.version_id, stage=CURRENT)
    elif before.current != change.version_id:
        label = release_label(change.version_id)
        if change.text:
            aws.secrets.add_version(name, change.text, version_id=change.version_id, stage=label)
        try:
            aws.secrets.move_current(name, to_version=change.version_id, from_version=before.current)
        except Conflict:
            now = aws.secrets.find(name)
            if now is not None and now.current == change.version_id:
                return change.version_id  # the same request, sent twice: the other one has moved the label
            if change.text:
                aws.secrets.unlabel(name, label)
            raise
    return change.version_id


def _roll(change: Change, environment: Environment, begin: Begin, aws: Aws) -> Stored:
    name, label = change.names.secret, staged_label(change.version_id)
    if change.text:
        aws.secrets.add_version(name, change.text, version_id=change.version_id, stage=label)
    body = {
        "environment": change.names.environment,
        "action": Action.ROTATE.value,
        "options": {
            "secret_version": change.version_id,
            "secret_base": change.before.current if change.before else None,
            "reason": change.reason,
            "if_busy": change.if_busy,
        },
    }
    try:
        deployment = begin(body)
    except (BadRequest, Conflict, NotFound):
        # Nobody rolls this version: without its label Secrets Manager deletes it. After any other error the deployment
        # may be on record, and needs it.
        if change.text:
            aws.secrets.unlabel(name, label)
        raise
    return Stored(SecretState.ROLLING, change.version_id, deployment, ttl_s(environment))
