"""What the candidate is compared with: the live version in the same seconds, the last good run's record, or nothing."""

from __future__ import annotations

from chalicelib.checks.target import Target
from chalicelib.domain.config import Config
from chalicelib.domain.options import Load
from chalicelib.load import fit
from chalicelib.load.plans import Beside

_USERS_SHARE = 0.5  # of the stage's throttle, which live's part of the load leaves to users
_LEAST_SHARE = 0.1  # of the candidate's requests: with fewer of live's a comparison says nothing


def beside(load: Load, config: Config, target: Target, live_version: str, unreserved: int) -> tuple[Beside | None, str]:
    """(how live is driven, what the candidate is compared with). unreserved: concurrent executions of the account.

    None with the reason where live cannot be driven; the last good run's record stands in then. live_version: "" for
    none.
    """
    if load.baseline != "live":
        return None, ""
    if reason := _obstacle(target, live_version):
        return None, reason
    share = live_share(load, config, unreserved)
    if share < _LEAST_SHARE:
        return None, "the throttle or the account's concurrency leaves too little room to drive live as well"
    return Beside(str(target.variables["public_url"]), False, share), f"version {live_version}, in the same seconds"


def _obstacle(target: Target, live_version: str) -> str:
    if not live_version:
        return "there is no good live version yet"
    if live_version == target.version:
        return f"version {live_version} is live itself"
    if target.variables["client_keys"]:
        return "live answers only callers with a client key, and the control plane has none"
    return ""


def live_share(load: Load, config: Config, unreserved: int) -> float:
    """Live's requests for each of the candidate's: as many, or what throttle and concurrency leave; at most 1."""
    throttle = config.throttle.rate_per_s * _USERS_SHARE / load.rps
    return round(max(0.0, min(1.0, throttle, fit.spare(load, unreserved))), 3)
