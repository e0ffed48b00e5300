"""Every night each environment that serves users is checked again. One that is busy or broken stops no other."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from ..core.model import Action, Environment
from ..errors import RolloutError, Throttled
from ..ports import Aws
from .answers import Clock
from .starting import begin, dead_lock

_CALLER = "proxyctl-nightly"
# The Lambda may run for 15 minutes; what is left then is done by the next delivery of the same event.
_BUDGET = timedelta(minutes=13)
# Enough to see that it answers, and cheap enough for every night: 40 requests. A p99 of so few would be noise, and one
# failure among them is no trend.
LIGHT: Mapping[str, Any] = {
    "load": {"rps": 10, "duration_s": 4, "cold_starts": 0},
    "slo": {"p99_ms": None, "cold_start_ms": None, "error_rate": 0.05},
    "reason": "nightly revalidation",
}


def start_all(event: Mapping[str, Any], aws: Aws, clock: Clock) -> dict[str, Any]:
    """Answers `{started: {environment: deployment id}, not_started: {environment: why}}`.

    Scheduler delivers at least once: the key is made from the date that it was due and the environment. Raises
    Throttled when the time is not enough for all: Lambda then delivers the event again, and what was started stays so.
    """
    day = str(event.get("scheduled_at") or clock().isoformat())[:10]
    until = clock() + _BUDGET
    started: dict[str, str] = {}
    not_started: dict[str, str] = {}
    serving = [one for one in aws.records.environments() if one.live is not None]
    for number, environment in enumerate(serving):
        if clock() > until:
            raise Throttled(f"{number} of {len(serving)} environments were reached in {_BUDGET}; the rest comes next")
        try:
            if died := _died_at_work(environment, aws, clock):
                not_started[environment.name] = f"deployment {died} has died and is not settled yet"
                continue
            started[environment.name] = _start(environment, day, aws, clock)
        except RolloutError as error:
            not_started[environment.name] = error.message
    return {"started": started, "not_started": not_started}


def _died_at_work(environment: Environment, aws: Aws, clock: Clock) -> str:
    """The dead holder of an environment whose users may be half-way through a shift: the sweeper takes them back first,
    since a check moves nobody. "" when there is none, or when it was a check itself."""
    dead = dead_lock(environment, aws, clock().timestamp())
    if dead is None or aws.records.deployment(dead.deployment_id).action is Action.REVALIDATE:
        return ""
    return dead.deployment_id


def _start(environment: Environment, day: str, aws: Aws, clock: Clock) -> str:
    asked = {"environment": environment.name, "action": Action.REVALIDATE.value, "options": dict(LIGHT)}
    return begin(asked, aws, clock, caller=_CALLER, key=f"nightly-{day}-{environment.name}").id
