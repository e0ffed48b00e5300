"""API Gateway's account settings and stages as values."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class GatewayAccount:
    """The account's settings in this region; `log_role` is "" when API Gateway may not write logs."""

    log_role: str
    rate_per_s: float
    burst: int


@dataclass(frozen=True, slots=True)
class StageState:
    """What a stage serves: the API's snapshot, and the throttle of all methods (requests a second, and at once)."""

    deployment_id: str
    rate_per_s: float
    burst: int


@dataclass(frozen=True, slots=True)
class AccessLog:
    """destination: ARN of the log group, without `:*`. format: of one line, with API Gateway's variables."""

    destination: str
    format: str
