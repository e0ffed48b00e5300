"""The candidate of the action `rotate`: the live version, which reads the pending secret on the candidate's path."""

from __future__ import annotations

from chalicelib.domain.aws.functions import Alias
from chalicelib.domain.errors import PhaseFailed
from chalicelib.domain.evidence.release import ReleaseEvidence
from chalicelib.domain.evidence.secret import SecretEvidence
from chalicelib.domain.names import CANDIDATE
from chalicelib.engine.phase import Request, Result
from chalicelib.ports import Aws
from chalicelib.release import release

from . import inspect


def reuse_live(request: Request, aws: Aws) -> Result[ReleaseEvidence]:
    """Point the candidate at the live version and wait until it reads the pending secret.

    Raises PhaseFailed: NothingLive, CandidateUnhealthy, SecretAccess.
    """
    function, live = request.names.function, request.environment.live
    if live is None:
        raise PhaseFailed(
            f"environment {request.environment.name} has no live release",
            code="NothingLive",
            remedy="Deploy it: the deployment checks the secret, too.",
        )
    if aws.functions.aliases(function).get(CANDIDATE) != Alias(CANDIDATE, live.version):
        aws.functions.point(function, Alias(CANDIDATE, live.version))
    secret_version = request.results.of(SecretEvidence).version_id
    health = inspect.read_health(request, aws)
    problem = release.health_problem(
        health.status, health.body, version=live.version, digest=live.artifact, secret_version=secret_version
    )
    if problem:
        return inspect.wait_for_health(live.version, health, problem, request)
    if waiting := inspect.wait_for_pending_secret(request):
        return waiting
    evidence = ReleaseEvidence(
        version=live.version,
        artifact_digest=live.artifact,
        health=health.body,
        execution_role_reads_secret=True,
        stranger=inspect.check_secret_is_refused(request, aws),
    )
    return Result.done(f"Version {live.version} reads secret version {secret_version[:8]} as the candidate", evidence)
