"""Phase 6: releases code and settings as a new version of the function, and points the alias `candidate` at it.

The stack is not touched. A version is published only when no published version has the same code and settings; its
description holds the fingerprint of both. Then the candidate itself must report that it runs this artifact and has
read its secret. For the action `rotate` the candidate is the live version (`reuse`).
"""

from __future__ import annotations

from chalicelib.domain.aws.functions import Alias, Version, alias_of
from chalicelib.domain.errors import NotFound, PhaseFailed
from chalicelib.domain.evidence.artifact import ArtifactEvidence
from chalicelib.domain.evidence.release import ReleaseEvidence
from chalicelib.domain.evidence.secret import SecretEvidence
from chalicelib.domain.evidence.stack import StackEvidence
from chalicelib.domain.model import Action
from chalicelib.domain.names import CANDIDATE
from chalicelib.engine.fingerprints import fingerprint as fingerprint_of
from chalicelib.engine.phase import Definition, Request, Result
from chalicelib.ports import Aws
from chalicelib.release import release, sabotage
from chalicelib.release.release import WantedRelease

from . import inspect, publish, reuse
from .cursor import ReleaseCursor

_SETTLE_S = 10 * 60


def fingerprint(request: Request, aws: Aws) -> str:
    """Code, settings, secret version, the stack, and the version that the candidate points at."""
    try:
        candidate = aws.functions.aliases(request.names.function)[CANDIDATE].version
    except (NotFound, KeyError):
        candidate = ""
    return fingerprint_of(
        _wanted(request, aws).fingerprint,
        request.results.of(SecretEvidence).version_id,
        request.results.of(StackEvidence).stack_id,
        candidate,
        request.config.keep_versions,
    )


def run(request: Request, aws: Aws) -> Result[ReleaseEvidence]:
    """Update the function, publish a version, point the candidate at it and check the candidate.

    Raises PhaseFailed: UpdateFailed, UpdateTimeout, PublishFailed, WrongCode, CandidateUnhealthy, SecretAccess.
    """
    if request.action is Action.ROTATE:
        return reuse.reuse_live(request, aws)
    wanted = _wanted(request, aws)
    function = request.names.function
    current = aws.functions.config(function)
    if current.update_status == "Failed" or current.state == "Failed":
        raise PhaseFailed(
            f"Lambda could not update {function}: {current.update_reason or current.state}",
            code="UpdateFailed",
            remedy="Correct what Lambda names and deploy again; the live version is unchanged.",
        )
    if current.update_status != "Successful" or current.state == "Pending":
        return _wait_for_lambda(request, f"Lambda is still updating {function}")
    version = release.published(aws.functions.versions(function), wanted)
    if version is None:
        if publish.update(current, wanted, request, aws):
            return _wait_for_lambda(request, f"Lambda is updating code and settings of {function}")
        version = publish.publish(wanted, request, aws)
    if alias_of(aws.functions.aliases(function), CANDIDATE) != Alias(CANDIDATE, version.number):
        aws.functions.point(function, Alias(CANDIDATE, version.number))
    return _check(version, wanted, request, aws)


def _wanted(request: Request, aws: Aws) -> WantedRelease:
    artifact = request.results.of(ArtifactEvidence)
    secret = request.results.of(SecretEvidence)
    wanted = release.wanted(
        request.config,
        environment=request.environment.name,
        digest=artifact.digest,
        code_sha256=artifact.code_sha256,
        secret_arn=secret.arn,
        response_mode=request.config.response_mode or aws.settings.response_mode,
        runtime=aws.settings.proxy_runtime,
        other_role=_other_role(request, aws),
    )
    sabotaged = sabotage.is_sabotaged(request.environment.name, request.options)
    return sabotage.broken(wanted) if sabotaged else wanted


def _other_role(request: Request, aws: Aws) -> str:
    """The name of the proxy's role after the first was lost; "" for the first."""
    role = request.results.of(StackEvidence).role
    return "" if role == request.names.role(aws.settings.region) else role


def _wait_for_lambda(request: Request, summary: str) -> Result[ReleaseEvidence]:
    if request.elapsed_s > _SETTLE_S:
        raise PhaseFailed(
            f"{summary}, for {int(request.elapsed_s)} s",
            code="UpdateTimeout",
            remedy="Look at the function in the Lambda console.",
        )
    return request.wait(summary, step="function update", cursor=request.cursor_as(ReleaseCursor))


def _check(version: Version, wanted: WantedRelease, request: Request, aws: Aws) -> Result[ReleaseEvidence]:
    if version.code_sha256 != wanted.code_sha256:
        raise PhaseFailed(
            f"version {version.number} has CodeSha256 {version.code_sha256}, the artifact {wanted.code_sha256}",
            code="WrongCode",
            remedy="Deploy again with options.force.",
        )
    health = inspect.read_health(request, aws)
    problem = release.health_problem(
        health.status,
        health.body,
        version=version.number,
        digest=wanted.digest,
        secret_version=request.results.of(SecretEvidence).version_id,
    )
    if problem:
        return inspect.wait_for_health(version.number, health, problem, request)
    if waiting := inspect.wait_for_pending_secret(request):
        return waiting
    return _done(version, wanted, health, request, aws)


def _done(
    version: Version, wanted: WantedRelease, health: inspect.Health, request: Request, aws: Aws
) -> Result[ReleaseEvidence]:
    published = release.was_published_by(version, request.deployment_id)
    evidence = ReleaseEvidence(
        version=version.number,
        published=published,
        code_sha256=version.code_sha256,
        artifact_digest=wanted.digest,
        fingerprint=wanted.fingerprint,
        memory_mb=wanted.memory_mb,
        timeout_s=wanted.timeout_s,
        environment=tuple(sorted(wanted.environment)),
        health=health.body,
        execution_role_reads_secret=True,
        stranger=inspect.check_secret_is_refused(request, aws),
        pruned=publish.prune(version.number, request, aws),
    )
    origin = "Published" if published else "Reused"
    return Result.done(
        f"{origin} version {version.number}; the candidate runs artifact {wanted.digest[:12]} and reads its secret",
        evidence,
    )


PHASE = Definition(run, ReleaseEvidence, ReleaseCursor, fingerprint)
