"""Checks the candidate from outside: its `/health` through API Gateway's IAM path, and who can read its secret."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from chalicelib.domain.aws.secrets import CANDIDATE_TTL_S
from chalicelib.domain.errors import AccessDenied, AwsCallFailed, PhaseFailed
from chalicelib.domain.evidence.release import ReleaseEvidence
from chalicelib.domain.evidence.secret import SecretEvidence
from chalicelib.domain.evidence.stack import StackEvidence
from chalicelib.engine.phase import Request, Result, applied_as
from chalicelib.ports import Aws
from chalicelib.release import sabotage
from chalicelib.stack.urls import candidate_url

from .cursor import ReleaseCursor

_HEALTH_S = 90
_SABOTAGED_S = 10  # a drill's broken release never becomes healthy
_TIMEOUT_S = 28.0


@dataclass(frozen=True, slots=True)
class Health:
    """The candidate's answer to `/health`. status: HTTP status, 0 when nothing answered; body: its JSON."""

    url: str
    status: int
    body: Mapping[str, object]


def read_health(request: Request, aws: Aws) -> Health:
    """Ask the candidate for its health once, signed. Status 0: no answer. Raises PhaseFailed (NothingToTest)."""
    stack = request.results.find(StackEvidence) or applied_as(request.environment, StackEvidence)
    if stack is None:
        raise PhaseFailed(
            "the environment has no API yet", code="NothingToTest", remedy="Deploy the environment first."
        )
    url = candidate_url(stack, "/health")
    try:
        reply = aws.endpoint.call("GET", url, signed=True, timeout_s=_TIMEOUT_S)
    except AwsCallFailed as error:
        return Health(url, 0, {"error": error.message})
    body = reply.json()
    text = {"body": reply.body[:200].decode(errors="replace")}
    return Health(url, reply.status, body if isinstance(body, dict) else text)


def wait_for_pending_secret(request: Request) -> Result[ReleaseEvidence] | None:
    """IN_PROGRESS until no process of the candidate still holds the secret version before; None from then on.

    Warm processes read it again when it is older than CANDIDATE_TTL_S, each by itself.
    """
    secret = request.results.find(SecretEvidence)
    is_rolled = secret is not None and secret.version_id == request.secret_version
    if not is_rolled or request.elapsed_s >= CANDIDATE_TTL_S:
        return None
    return Result.in_progress(
        "Waiting until every process of the candidate has read the pending secret",
        poll_after_s=math.ceil(CANDIDATE_TTL_S - request.elapsed_s),
        cursor=request.cursor_as(ReleaseCursor),
    )


def wait_for_health(version: str, health: Health, problem: str, request: Request) -> Result[ReleaseEvidence]:
    """IN_PROGRESS while the candidate has time to become healthy; then raises PhaseFailed (CandidateUnhealthy)."""
    noted = request.cursor_as(ReleaseCursor).unhealthy_since
    since = request.elapsed_s if noted is None else noted
    sabotaged = sabotage.is_sabotaged(request.environment.name, request.options)
    if request.elapsed_s - since < (_SABOTAGED_S if sabotaged else _HEALTH_S):
        return request.wait(
            f"Version {version} is not ready yet: {problem}",
            step="candidate health",
            cursor=ReleaseCursor(unhealthy_since=since),
        )
    raise PhaseFailed(
        f"the candidate, version {version}, is not what was released: {problem}",
        code="CandidateUnhealthy",
        remedy=f"Look at the function's log {request.names.log_group}; the live version is unchanged.",
        evidence={"url": health.url, "status": health.status, "health": health.body},
    )


def check_secret_is_refused(request: Request, aws: Aws) -> str:
    """Try to read the secret with this Lambda's own role, which must be denied; answers how it ended.

    Raises PhaseFailed (SecretAccess) when the role can read it.
    """
    try:
        aws.secrets.read(request.results.of(SecretEvidence).arn)
    except AccessDenied:
        return "refused: release_code's own role tried to read the secret and was denied"
    raise PhaseFailed(
        "release_code's role can read the secret, and must not",
        code="SecretAccess",
        remedy="Only the proxy's role may read it: look at the policy of release_code's role and at the secret's own.",
    )
