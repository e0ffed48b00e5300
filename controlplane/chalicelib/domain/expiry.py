"""Environments that live for a time only: when they end, and what is removed with them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from .config import Config, Options
from .model import Environment

_AGAIN = timedelta(days=1)  # a clean-up that failed is tried once a day


def after_deploy(config: Config, options: Options, now: datetime) -> dict[str, Any]:
    """Changes to the environment's record once a deploy, good or bad, has ended: both leave something to remove."""
    hours = options.ttl_hours if options.ttl_hours is not None else config.ttl_hours
    if hours is None:
        return {}
    if hours == 0:
        return {"expires_at": None, "at_expiry": None}
    kept = {"remove_secret": options.remove_secret, "secret_recovery_days": options.secret_recovery_days}
    return {"expires_at": _stamp(now + timedelta(hours=hours)), "at_expiry": kept}


def after_clean_up(environment: Environment, now: datetime, *, good: bool) -> dict[str, Any]:
    """Nothing is left to expire; or, after a failure, the sweeper tries again tomorrow."""
    if good:
        return {"expires_at": None, "at_expiry": None}
    return {"expires_at": _stamp(now + _AGAIN)} if has_expired(environment, now) else {}


def has_expired(environment: Environment, now: datetime) -> bool:
    """Whether its time is over. A protected environment's never is."""
    protected = any(one.config.get("protected") for one in (environment.live, environment.last_good) if one)
    expires_at = environment.expires_at
    return expires_at is not None and not protected and datetime.fromisoformat(expires_at) <= now


def body(environment: Environment) -> dict[str, Any]:
    """What POST /deployments would be sent."""
    reason = {"reason": f"its time was over at {environment.expires_at}"}
    return {
        "environment": environment.name,
        "action": "cleanup",
        "options": {**reason, **dict(environment.at_expiry)},
    }


def key(environment: Environment) -> str:
    """The idempotency key: one clean-up for each expiry, however often the sweeper looks."""
    return f"expired-{environment.name}-{environment.expires_at}"


def _stamp(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")
