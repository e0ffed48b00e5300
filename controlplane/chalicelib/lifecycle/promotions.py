"""Which release a promotion rolls: the last good one of another environment, with the records that prove it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeVar

from chalicelib.domain.codec import decode_lenient
from chalicelib.domain.errors import BadRequest, Conflict, NotFound, unknown_environment
from chalicelib.domain.evidence.artifact import ArtifactEvidence
from chalicelib.domain.evidence.secret import SecretEvidence
from chalicelib.domain.fleets.promotions import Promotion
from chalicelib.domain.model import Action, Environment, Evidence, Release
from chalicelib.domain.names import Names
from chalicelib.ports import Aws

K = TypeVar("K", ArtifactEvidence, SecretEvidence)


def check_source(action: Action, source: str | None, environment: str) -> None:
    """Raises BadRequest where `from` is missing, is the environment itself, or belongs to another action."""
    if action is not Action.PROMOTE:
        if source is not None:
            raise _wrong(f"action {action.value} takes nothing from another environment", "Leave it out, or promote.")
        return
    if source is None:
        raise _wrong("action promote needs the environment whose release it rolls", 'Send "from": "staging".')
    if source == environment:
        raise _wrong(f"environment {environment} cannot be promoted to itself", "Name the environment before it.")
    try:
        Names(source)
    except BadRequest as error:
        raise BadRequest(error.message, field="from", remedy=error.remedy) from error


def _wrong(message: str, remedy: str) -> BadRequest:
    return BadRequest(message, field="from", remedy=remedy)


def promotion_of(environment: Environment, aws: Aws) -> Promotion:
    """The release that users of the environment have, and where its evidence is.

    Raises NotFound for an unknown environment, Conflict: EnvironmentRemoved, NothingPassed, IncidentOpen (its last
    revalidation failed) and EvidenceGone (the records that say what passed no longer exist).
    """
    source, release = environment.name, _passed(environment)
    applied = {name: entry.evidence for name, entry in environment.applied.items()}
    recorded = _recorded(release.deployment_id, aws)
    artifact = _artifact(release, recorded, applied, environment, aws)
    secret = _evidence(SecretEvidence, recorded) or _evidence(SecretEvidence, applied) or SecretEvidence()
    version = release.secret_version or secret.version_id
    if not (recorded and artifact and secret.arn and version):
        raise _refused(
            "EvidenceGone",
            f"the records of what passed in {source} (deployment {release.deployment_id}) no longer exist",
            f"Deploy {source} with options.force, then promote.",
        )
    return Promotion(
        environment=source,
        deployment_id=release.deployment_id,
        version=release.version,
        at=release.at,
        digest=artifact.digest,
        code_sha256=artifact.code_sha256,
        artifact=artifact.key,
        bundle=release.bundle or artifact.bundle,
        secret_arn=secret.arn,
        secret_version=version,
        target=environment.target,
    )


def _passed(environment: Environment) -> Release:
    name, release = environment.name, environment.last_good
    if not environment.is_known:
        raise unknown_environment(name, field="from")
    if environment.status == "REMOVED":
        raise _refused("EnvironmentRemoved", f"environment {name} was removed", f"Deploy {name} again, then promote.")
    if release is None:
        raise _refused("NothingPassed", f"no release has passed in {name}", f"Deploy {name} first.")
    if environment.incident:
        since = environment.incident.get("opened_at", "")
        raise _refused(
            "IncidentOpen",
            f"environment {name} has an incident since {since}: its last check failed",
            f"Repair {name} and revalidate it, then promote.",
        )
    return release


def _refused(code: str, message: str, remedy: str) -> Conflict:
    return Conflict(message, code=code, field="from", remedy=remedy)


def _recorded(deployment_id: str, aws: Aws) -> Mapping[str, Evidence]:
    """Evidence by phase; {} when the deployment has no record any more."""
    try:
        aws.records.deployment(deployment_id)
    except NotFound:
        return {}
    return {phase.name: phase.evidence for phase in aws.records.phases(deployment_id)}


def _artifact(
    release: Release,
    recorded: Mapping[str, Evidence],
    applied: Mapping[str, Evidence],
    environment: Environment,
    aws: Aws,
) -> ArtifactEvidence | None:
    """The evidence of the artifact that the release runs. A rotation, which makes a release too, packages nothing."""
    candidates = (_evidence(ArtifactEvidence, recorded), _evidence(ArtifactEvidence, applied))
    for evidence in (*candidates, *_of_other_releases(release, environment, aws)):
        if evidence and evidence.digest and evidence.digest == release.artifact:
            return evidence
    return None


def _of_other_releases(release: Release, environment: Environment, aws: Aws) -> Iterator[ArtifactEvidence | None]:
    for other in environment.releases:
        if other.artifact == release.artifact and other.deployment_id != release.deployment_id:
            yield _evidence(ArtifactEvidence, _recorded(other.deployment_id, aws))


def _evidence(kind: type[K], recorded: Mapping[str, Evidence]) -> K | None:
    evidence = recorded.get(kind.PHASE)
    return None if evidence is None else decode_lenient(kind, dict(evidence))
