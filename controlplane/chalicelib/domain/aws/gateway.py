"""API Gateway's account settings as a value."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class GatewayAccount:
    """The account's settings in this region; `log_role` is "" when API Gateway may not write logs."""

    log_role: str
    rate_per_s: float
    burst: int
