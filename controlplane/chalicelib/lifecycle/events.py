"""The event of a state change (docs/events.md), and the signature by which a webhook's receiver verifies the sender."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping

from chalicelib.domain.model import Deployment

SCHEMA = 1
SOURCE = "proxyctl"
DETAIL_TYPE = "Deployment State Change"


def compose(deployment: Deployment, recorded: Mapping[str, object]) -> dict[str, object]:
    """The event's body. recorded: the event's record, `{at, kind, detail?}`.

    `id` is the same whenever the same event is delivered again: delivery is at least once.
    """
    subject, _, change = str(recorded.get("kind", "")).rpartition(".")
    return {
        "schema": SCHEMA,
        "id": f"{deployment.id}/{recorded.get('at', '')}/{recorded.get('kind', '')}",
        "at": recorded.get("at", ""),
        "deployment_id": deployment.id,
        "environment": deployment.environment,
        "action": deployment.action.value,
        "subject": subject,
        "change": change,
        "caller": deployment.caller,
        "reason": deployment.options.reason,
        "detail": recorded.get("detail") or {},
    }


def sign(key: bytes, timestamp: int, body: bytes) -> str:
    """The value of header `proxyctl-signature`. timestamp: epoch seconds, signed too, so that a receiver can refuse a
    replayed request."""
    digest = hmac.new(key, f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={timestamp},v1={digest}"
