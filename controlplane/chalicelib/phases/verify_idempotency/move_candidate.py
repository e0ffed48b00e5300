"""Moves the candidate back to an earlier version and forward again, and asks the API which version answers."""

from __future__ import annotations

from dataclasses import replace

from chalicelib.domain.aws.functions import Alias, alias_of
from chalicelib.domain.evidence.release import ReleaseEvidence
from chalicelib.domain.evidence.stack import StackEvidence
from chalicelib.engine.phase import Request
from chalicelib.ports import Aws
from chalicelib.stack.urls import candidate_url

from .cursor import IdempotencyCursor
from .proof import earlier_version

_HEALTH_TIMEOUT_S = 30.0


def back(cursor: IdempotencyCursor, request: Request, aws: Aws) -> IdempotencyCursor:
    """Move the candidate to an earlier version and wait until it answers; without one, end."""
    if not cursor.earlier:
        earlier = _earlier(request, aws)
        if not earlier:
            return replace(cursor, step="end")
        point(earlier, request, aws)
        cursor = replace(cursor, earlier=earlier)
    if _answering_version(request, aws) != cursor.earlier:
        return _back_again(cursor, request, aws)
    point(_released(request), request, aws)
    return replace(cursor, step="forward")


def _back_again(cursor: IdempotencyCursor, request: Request, aws: Aws) -> IdempotencyCursor:
    """Move the candidate again if it stands elsewhere at two looks.

    Step Functions may deliver a task twice: the other Lambda may have moved the candidate forward already. If that has
    also ended the phase, the record that is written between two looks says so, and the candidate stays.
    """
    stands = alias_of(aws.functions.aliases(request.names.function), "candidate").version
    if stands != cursor.earlier and cursor.overtaken:
        point(cursor.earlier, request, aws)
    return replace(cursor, overtaken=stands != cursor.earlier)


def forward(cursor: IdempotencyCursor, request: Request, aws: Aws) -> IdempotencyCursor:
    """Wait until the released version answers again."""
    return replace(cursor, step="end") if _answering_version(request, aws) == _released(request) else cursor


def point(version: str, request: Request, aws: Aws) -> None:
    """Move the candidate alias to `version`."""
    aws.functions.point(request.names.function, Alias("candidate", version))


def _released(request: Request) -> str:
    return request.results.of(ReleaseEvidence).version


def _earlier(request: Request, aws: Aws) -> str:
    existing = [version.number for version in aws.functions.versions(request.names.function)]
    return earlier_version(request.environment, existing, _released(request))


def _answering_version(request: Request, aws: Aws) -> str:
    """The version that the candidate's `/health` states; "" while it states none."""
    url = candidate_url(request.results.of(StackEvidence), "/health")
    health = aws.endpoint.call("GET", url, signed=True, timeout_s=_HEALTH_TIMEOUT_S).json()
    return str(health.get("version", "")) if isinstance(health, dict) else ""
