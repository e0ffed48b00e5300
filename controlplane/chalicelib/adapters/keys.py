"""Keys of the control plane's table."""

from __future__ import annotations

from typing import Any

from chalicelib.domain.model import Deployment
from chalicelib.domain.records import Claim


def key_of(pk: str, sk: str) -> dict[str, Any]:
    return {"pk": {"S": pk}, "sk": {"S": sk}}


def deployment_key(deployment_id: str, sk: str = "META") -> dict[str, Any]:
    return key_of(f"DEPLOYMENT#{deployment_id}", sk)


def environment_key(name: str, sk: str = "META") -> dict[str, Any]:
    return key_of(f"ENVIRONMENT#{name}", sk)


def line_key(deployment: Deployment) -> dict[str, Any]:
    """A place in the environment's line: first come, first served."""
    return environment_key(deployment.environment, f"LINE#{deployment.created_at}#{deployment.id}")


def claim_key(claim: Claim) -> dict[str, Any]:
    return key_of(f"CLAIM#{claim.key}", "META")
