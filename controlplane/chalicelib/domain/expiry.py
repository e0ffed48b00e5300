"""Environments with a time limit: when it ends, and how the environment is cleaned up then."""

from __future__ import annotations

from datetime import datetime, timedelta

from .config import Config
from .model import Environment
from .options import Options

_RETRY = timedelta(days=1)  # after a clean-up that failed


def after_deploy(config: Config, options: Options, now: datetime) -> dict[str, object]:
    """Changes to the environment's record after a deploy. A failed one leaves resources to remove, too. now: UTC."""
    hours = options.ttl_hours if options.ttl_hours is not None else config.ttl_hours
    if hours is None:
        return {}
    if hours == 0:
        return {"expires_at": None, "at_expiry": None}
    options_at_expiry = {"remove_secret": options.remove_secret, "secret_recovery_days": options.secret_recovery_days}
    return {"expires_at": _stamp(now + timedelta(hours=hours)), "at_expiry": options_at_expiry}


def after_clean_up(environment: Environment, now: datetime, *, good: bool) -> dict[str, object]:
    """Changes to the record after a clean-up: no time limit, or, after a failure, another one for the retry."""
    if good:
        return {"expires_at": None, "at_expiry": None}
    return {"expires_at": _stamp(now + _RETRY)} if has_expired(environment, now) else {}


def has_expired(environment: Environment, now: datetime) -> bool:
    """Whether the time limit has ended. A protected environment never expires."""
    protected = any(release.config.get("protected") for release in (environment.live, environment.last_good) if release)
    expires_at = environment.expires_at
    return expires_at is not None and not protected and datetime.fromisoformat(expires_at) <= now


def body(environment: Environment) -> dict[str, object]:
    """The body of POST /deployments that cleans the environment up."""
    reason = {"reason": f"the time limit ended at {environment.expires_at}"}
    return {
        "environment": environment.name,
        "action": "cleanup",
        "options": {**reason, **dict(environment.at_expiry)},
    }


def key(environment: Environment) -> str:
    """The Idempotency-Key: one clean-up for each expiry, however often the sweeper runs."""
    return f"expired-{environment.name}-{environment.expires_at}"


def _stamp(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")
