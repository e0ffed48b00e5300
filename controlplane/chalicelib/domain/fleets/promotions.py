"""A promotion: an environment rolls the bytes and models that passed in another, with its own settings and keys."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from ..aws.targets import Target


@dataclass(frozen=True, slots=True)
class Promotion:
    """The release that is rolled, as it was when the promotion was requested. What its environment does later changes
    nothing.

    environment: where it passed; deployment_id: of the deployment that holds the evidence; version: its function
    version there; at: since when users have had it there (ISO 8601). digest: SHA-256 (hex) of the artifact's tree;
    code_sha256: of its zip, as Lambda writes it (base64); artifact: the zip's key in the bucket; bundle: key of the
    bundle with its template. secret_arn, secret_version: the secret that it ran with, of which only `models` are taken.
    target: the account and region of that secret; None for the control plane's own.
    """

    environment: str = ""
    deployment_id: str = ""
    version: str = ""
    at: str = ""
    digest: str = ""
    code_sha256: str = ""
    artifact: str = ""
    bundle: str = ""
    secret_arn: str = ""
    secret_version: str = ""
    target: Target | None = None


def secret_version_id(deployment_id: str) -> str:
    """The ID of the secret version with the promoted models: the same however often the phase is called."""
    return hashlib.sha256(f"promotion-{deployment_id}".encode()).hexdigest()
