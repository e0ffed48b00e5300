"""Rebuilds the record of an environment that someone deleted from the table, from the records of its deployments.

Without it a deploy would count as the first one: configuration reset, users moved to what is unchecked, nothing to go
back to.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, replace
from typing import TypeVar

from chalicelib.domain.codec import decode_lenient, encode_record, merge
from chalicelib.domain.evidence.artifact import ArtifactEvidence
from chalicelib.domain.evidence.handoff import HandoffEvidence
from chalicelib.domain.evidence.load import LoadEvidence
from chalicelib.domain.evidence.release import ReleaseEvidence, RollBackEvidence
from chalicelib.domain.evidence.secret import SecretEvidence
from chalicelib.domain.evidence.stack import SettingsEvidence, StackEvidence
from chalicelib.domain.model import Action, Applied, Deployment, DeploymentStatus, Environment, Evidence, Release
from chalicelib.ports import Aws

_NEWEST = 100  # deployments that are read
_RELEASES = 10
Recorded = Mapping[str, Evidence]  # evidence by phase
K = TypeVar("K", ArtifactEvidence, HandoffEvidence, ReleaseEvidence, RollBackEvidence, SecretEvidence, SettingsEvidence)
# The evidence that others read from the environment (`engine.phase.applied_as`).
_COMPARED = (SecretEvidence.PHASE, ArtifactEvidence.PHASE, StackEvidence.PHASE, LoadEvidence.PHASE)
_CHANGING = (Action.DEPLOY, Action.PROMOTE, Action.ROTATE, Action.ROLLBACK, Action.CLEANUP)


def recover(environment: Environment, aws: Aws) -> Environment:
    """The environment; rebuilt and recorded when it has no record although it has had deployments."""
    if environment.is_known:
        return environment
    page = aws.records.deployments(environment.name, None, _NEWEST, None)
    if not page.deployments:
        return environment
    ended = [item for item in page.deployments if item.status is DeploymentStatus.SUCCEEDED]
    releases = _releases([item for item in reversed(ended) if item.action in _CHANGING], aws)
    record = _record(releases, page.deployments)
    deploy = next((item for item in ended if item.action.deploys), None)
    if releases and deploy:
        record |= _applied(deploy, releases[0], aws)
    aws.records.update_environment(environment.name, record)
    return aws.records.environment(environment.name)


def _applied(deploy: Deployment, live: Release, aws: Aws) -> dict[str, object]:
    """What the phases applied, by attribute, for those who compare with it. deploy: the newest that succeeded.

    Links are among it: a rotation or a rollback, which may be newer, leaves none. With these fingerprints the next
    deploy skips nothing.
    """
    recorded = _recorded(deploy.id, aws)
    secret = dict(recorded.get(SecretEvidence.PHASE, {}))
    if secret and live.secret_version:
        secret["version_id"] = live.secret_version
    # A failed deployment since may have put the role's policy back to another one.
    stack = {name: value for name, value in recorded.get(StackEvidence.PHASE, {}).items() if name != "role_policy"}
    evidence = {**recorded, SecretEvidence.PHASE: secret, StackEvidence.PHASE: stack}
    at = deploy.ended_at or deploy.created_at
    return {"links": _links(recorded)} | {
        f"applied_{phase}": asdict(Applied("rebuilt", deploy.id, at, evidence[phase]))
        for phase in _COMPARED
        if evidence.get(phase)
    }


def _record(releases: list[Release], newest: Iterable[Deployment]) -> dict[str, object]:
    last = next(iter(newest))
    marks: dict[str, object] = {"last_deployment": last.id, "recovered_from": last.id}
    if last.config.target:
        marks["target"] = asdict(last.config.target)
    if not releases:
        return {**marks, "status": "REMOVED" if last.action is Action.CLEANUP else "NEVER_LIVE"}
    records = [encode_record(release) for release in releases[:_RELEASES]]
    previous = {"previous": records[1]} if len(records) > 1 else {}
    live: dict[str, object] = {"status": "LIVE", "live": records[0], "last_good": records[0], "releases": records}
    return {**marks, **live, **previous}


def _releases(ended: Iterable[Deployment], aws: Aws) -> list[Release]:
    """The releases that users had, the live one first. ended: deployments that succeeded, oldest first."""
    releases: list[Release] = []
    for deployment in ended:
        if deployment.action is Action.CLEANUP:
            releases = []
            continue
        for release in _of(deployment, releases, _recorded(deployment.id, aws)):
            releases = [release, *(other for other in releases if other.identity != release.identity)]
    return releases


def _of(deployment: Deployment, before: list[Release], recorded: Recorded) -> Iterator[Release]:
    """The release that users had after this deployment; none when its records do not say."""
    secret = _evidence(SecretEvidence, recorded)
    version = _evidence(ReleaseEvidence, recorded).version
    back = _evidence(RollBackEvidence, recorded)
    if deployment.action is Action.ROLLBACK and back.version:
        same = [item for item in before if item.identity == (back.version, back.secret_to)]
        yield from same or [Release(back.version, back.release_of, back.to, secret_version=back.secret_to)]
    elif deployment.action is Action.ROTATE and before:
        at = deployment.ended_at or deployment.created_at
        yield replace(before[0], deployment_id=deployment.id, at=at, secret_version=secret.version_id)
    elif deployment.action.deploys and version:
        yield _deployed(deployment, version, "" if secret.adopted else secret.version_id, recorded)


def _deployed(deployment: Deployment, version: str, secret_version: str, recorded: Recorded) -> Release:
    settings = _evidence(SettingsEvidence, recorded)
    return Release(
        version=version,
        deployment_id=deployment.id,
        at=deployment.ended_at or deployment.created_at,
        artifact=_evidence(ArtifactEvidence, recorded).digest,
        config=merge(asdict(deployment.config), deployment.unknown_config),
        secret_version=secret_version,
        bundle=settings.bundle,
        snapshot=settings.snapshot,
        parameters=dict(settings.parameters),
    )


def _recorded(deployment_id: str, aws: Aws) -> Recorded:
    return {phase.name: phase.evidence for phase in aws.records.phases(deployment_id)}


def _evidence(kind: type[K], recorded: Recorded) -> K:
    """The evidence of a phase, all defaults when it left none."""
    return decode_lenient(kind, dict(recorded.get(kind.PHASE, {})))


def _links(recorded: Recorded) -> dict[str, str]:
    return dict(_evidence(HandoffEvidence, recorded).links)
