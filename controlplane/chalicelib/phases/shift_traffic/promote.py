"""Promotes the pending secret version: from then on all users read it, each process within its time to live."""

from __future__ import annotations

from dataclasses import replace

from chalicelib.domain.aws.secrets import PENDING, release_label, staged_label
from chalicelib.domain.codec import encode
from chalicelib.domain.errors import Conflict, PhaseFailed
from chalicelib.domain.evidence.secret import SecretEvidence
from chalicelib.domain.model import Action, Applied
from chalicelib.domain.times import stamp
from chalicelib.engine.phase import Request
from chalicelib.ports import Aws


def promote(request: Request, aws: Aws) -> SecretEvidence | None:
    """Move AWSCURRENT to the version that this deployment rolls; None when it rolls none.

    Does it once: a second call finds the version current. Raises PhaseFailed (SecretChanged) when another version
    than the one that was current at the start is current now.
    """
    secret = request.results.find(SecretEvidence)
    if secret is None or not promotes(request):
        return None
    info = aws.secrets.find(secret.arn)
    for version in (secret.replaces, secret.version_id):
        aws.secrets.label(secret.arn, release_label(version), version)
    if info is None or info.current != secret.version_id:
        _move(secret, aws)
    for label in (PENDING, staged_label(secret.version_id)):
        aws.secrets.unlabel(secret.arn, label)
    _note(secret, request, aws)
    return secret


def promotes(request: Request) -> bool:
    """Whether this deployment rolls a secret version."""
    secret = request.results.find(SecretEvidence)
    return secret is not None and bool(secret.replaces) and secret.version_id == request.secret_version


def _move(secret: SecretEvidence, aws: Aws) -> None:
    try:
        aws.secrets.move_current(secret.arn, to_version=secret.version_id, from_version=secret.replaces)
    except Conflict as conflict:
        raise PhaseFailed(
            f"{secret.name} was changed while its version {secret.version_id[:8]} was checked",
            code="SecretChanged",
            field="secret",
            remedy="Users have the other version. Store the document again if it is still wanted.",
        ) from conflict


def _note(secret: SecretEvidence, request: Request, aws: Aws) -> None:
    """For a rotation, record what applies now; a deploy has recorded it with prepare_secret's fingerprint."""
    if request.action is Action.ROTATE:
        evidence = encode(replace(secret, replaces=""))
        applied = Applied(f"rotated by {request.deployment_id}", request.deployment_id, stamp(request.now), evidence)
        aws.records.set_applied(request.environment.name, SecretEvidence.PHASE, applied, holder=request.deployment_id)
