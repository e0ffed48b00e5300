"""What the world is told of every state change (docs/events.md), and how a webhook's receiver knows that it was us."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from typing import Any

from chalicelib.domain.model import Deployment

SCHEMA = 1
SOURCE = "proxyctl"
DETAIL_TYPE = "Deployment State Change"


def event_of(deployment: Deployment, recorded: Mapping[str, Any]) -> dict[str, Any]:
    """The event's body. `id` is the same whenever the same event is told again: delivery is at least once."""
    subject, _, change = str(recorded["kind"]).rpartition(".")
    return {
        "schema": SCHEMA,
        "id": f"{deployment.id}/{recorded['at']}/{recorded['kind']}",
        "at": recorded["at"],
        "deployment_id": deployment.id,
        "environment": deployment.environment,
        "action": deployment.action.value,
        "subject": subject,
        "change": change,
        "caller": deployment.caller,
        "reason": deployment.options.reason,
        "detail": dict(recorded.get("detail", {})),
    }


def signature(key: str, timestamp: int, body: bytes) -> str:
    """Value of `proxyctl-signature`: the time is signed too, so that a receiver can refuse an old one."""
    signed = hmac.new(key.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={timestamp},v1={signed}"
