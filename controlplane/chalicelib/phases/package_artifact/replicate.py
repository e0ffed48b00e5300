"""Copies a verified package into the bucket of the environment's target: Lambda takes code from its own region, and the
roles there read no bucket of another account."""

from __future__ import annotations

import hashlib

from chalicelib.domain.errors import PhaseFailed
from chalicelib.engine.phase import Request
from chalicelib.ports import Aws

from .look import sha256_of

_ZIP = "application/zip"


def is_whole(key: str, sha256: str, aws: Aws) -> bool:
    """Whether Lambda finds these bytes under the key. sha256: hex. At home that is the package itself."""
    return not aws.settings.is_target or sha256_of(key, aws.packages) == sha256


def replicate(key: str, sha256: str, request: Request, aws: Aws) -> str | None:
    """Copy the package unless the target's bucket has it; the bucket's name, None for an environment at home.

    sha256: of the package in the control plane's bucket, hex. Both what is read and what is stored are compared with
    it. Raises PhaseFailed (ArtifactCorrupt).
    """
    if not aws.settings.is_target:
        return None
    if not is_whole(key, sha256, aws):
        content = aws.artifacts.get(key)
        _refuse_other(key, "the control plane's bucket", sha256, hashlib.sha256(content).hexdigest())
        aws.packages.put(key, content, content_type=_ZIP, tags=request.names.tags)
        _refuse_other(key, f"bucket {aws.settings.bucket}", sha256, aws.packages.sha256(key))
    return aws.settings.bucket


def _refuse_other(key: str, where: str, expected: str, stored: str) -> None:
    if stored != expected:
        raise PhaseFailed(
            f"the object {key} in {where} has SHA-256 {stored}, which differs from that of the package, {expected}",
            code="ArtifactCorrupt",
            remedy=f"Delete the object {key} there, check who may write to this prefix, then deploy again.",
            evidence={"expected": expected, "stored": stored},
        )
