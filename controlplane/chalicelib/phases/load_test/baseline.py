"""What the candidate is compared with: the live version in the same seconds, the last good run's record, or nothing."""

from __future__ import annotations

from chalicelib.checks.target import Target
from chalicelib.domain.config import Config
from chalicelib.domain.options import Load
from chalicelib.load import fit
from chalicelib.load.plans import Beside

_USERS_SHARE = 0.5  # of the stage's throttle, which live's part of the load leaves to users
_LEAST_SHARE = 0.1  # of the candidate's requests: with fewer of live's a comparison says nothing


def beside(
    load: Load, config: Config, target: Target, live_version: str, live_url: str, unreserved: int
) -> tuple[Beside | None, str]:
    """(how live is driven, what the candidate is compared with). unreserved: concurrent executions of the account.

    None with the reason where live cannot be driven; the last good run's record stands in then. live_version: "" for
    none. live_url: where IAM callers reach it, "" where they do not (`reach_live`); users' path is taken then.
    """
    if load.baseline != "live":
        return None, ""
    if reason := _obstacle(target, live_version, live_url):
        return None, reason
    share = live_share(load, config, unreserved, is_apart=bool(live_url))
    if share < _LEAST_SHARE:
        return None, "the throttle or the account's concurrency leaves too little room to drive live as well"
    url = live_url or str(target.variables["public_url"])
    return Beside(url, bool(live_url), share), f"version {live_version}, in the same seconds"


def _obstacle(target: Target, live_version: str, live_url: str) -> str:
    if not live_version:
        return "there is no good live version yet"
    if live_version == target.version:
        return f"version {live_version} is live itself"
    if target.variables["client_keys"] and not live_url:
        return "live answers only callers with a client key, and its stack or version has no path for the control plane"
    return ""


def live_share(load: Load, config: Config, unreserved: int, *, is_apart: bool) -> float:
    """Live's requests for each of the candidate's: as many, or what throttle and concurrency leave; at most 1.

    is_apart: whether live is driven on the candidate's stage, which has the users' limits again for both sides.
    """
    rate = config.throttle.rate_per_s
    throttle = (rate - load.rps if is_apart else rate * _USERS_SHARE) / load.rps
    return round(max(0.0, min(1.0, throttle, fit.spare(load, unreserved))), 3)
