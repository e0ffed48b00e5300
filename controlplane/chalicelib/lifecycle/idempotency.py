"""Idempotency-Keys: one key and body stand for one deployment, however often they are sent. Pure."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Mapping

from chalicelib.domain.errors import BadRequest, Conflict
from chalicelib.domain.records import Claim

_KEY_LIMIT = 255  # characters
_SCRYPT_N = 2**13  # 8 MiB and some 20 ms


def claim_of(key: str | None, caller: str, body: Mapping[str, object]) -> Claim | None:
    """The claim to write with the deployment, None without a key. Raises BadRequest for a malformed key.

    Keys are the caller's own: two callers with the same key get two deployments.
    """
    if key is None:
        return None
    if not 1 <= len(key) <= _KEY_LIMIT or not key.isprintable():
        raise BadRequest(
            f"Idempotency-Key must be 1 to {_KEY_LIMIT} printable characters",
            field="Idempotency-Key",
            remedy="Use a UUID.",
        )
    canonical = json.dumps(body, sort_keys=True, separators=(",", ":"))
    return Claim(f"{caller}#{key}", hashlib.sha256(canonical.encode()).hexdigest())


def secret_claim(key: str | None, caller: str, environment: str, body: Mapping[str, object]) -> Claim | None:
    """As `claim_of`, for a change of an environment's secret. The digest is salted and slow to compute: it is on
    record, and nobody must find a short value of the body by trying."""
    claim = claim_of(key, caller, {})
    if claim is None:
        return None
    name = f"secret/{environment}/{claim.key}"
    canonical = json.dumps(body, sort_keys=True, separators=(",", ":")).encode()
    digest = hashlib.scrypt(canonical, salt=name.encode(), n=_SCRYPT_N, r=8, p=1, dklen=32)
    return Claim(name, digest.hex())


def refuse_another_body(claim: Claim, stored: Claim) -> None:
    """Raises Conflict (IdempotencyKeyReused) when the key was claimed with another body."""
    if stored.body_sha256 != claim.body_sha256:
        raise Conflict(
            "this Idempotency-Key was used with another body",
            code="IdempotencyKeyReused",
            field="Idempotency-Key",
            remedy="Send a new key with a new request.",
        )


def deployment_id(claim: Claim | None) -> str:
    """Derived from the key where there is one, so that the execution's name is the same however often it is sent."""
    unique = claim.key if claim else uuid.uuid4().hex
    return "d-" + hashlib.sha256(unique.encode()).hexdigest()[:20]


def claimed_deployment(refused: Conflict, claim: Claim | None) -> str:
    """ID of the deployment that the key stands for; "" when the start was refused for another reason than its key.

    Raises Conflict (IdempotencyKeyReused) when the key was used with another body.
    """
    if not refused.claimed_by or claim is None:
        return ""
    if refused.body_sha256 != claim.body_sha256:
        raise Conflict(
            f"this Idempotency-Key was used for deployment {refused.claimed_by} with another body",
            code="IdempotencyKeyReused",
            field="Idempotency-Key",
            remedy="Send a new key with a new request.",
            claimed_by=refused.claimed_by,
        )
    return refused.claimed_by
