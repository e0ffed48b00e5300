"""Finds the path on which the control plane reaches the live version beside the candidate.

It is on the candidate's stage, for IAM callers: users' client keys, throttle and metrics stay out of it, and both sides
take the same way. A stack or a live version of an earlier control plane has no such path.
"""

from __future__ import annotations

from chalicelib.domain.errors import RolloutError
from chalicelib.ports import Aws
from chalicelib.stack.urls import LIVE_PREFIX

_TIMEOUT_S = 25.0


def reach_live(candidate_url: str, version: str, aws: Aws) -> str:
    """The URL, without a path; "" when this version does not answer there."""
    url = candidate_url + LIVE_PREFIX
    try:
        reply = aws.endpoint.call("GET", url + "/health", signed=True, timeout_s=_TIMEOUT_S)
    except RolloutError:
        return ""
    health = reply.json() if reply.status == 200 else None
    return url if isinstance(health, dict) and health.get("version") == version else ""
