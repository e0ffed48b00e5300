"""The three tasks of the nightly state machine: list who serves users, check each of them again, sum it up.

Each environment is revalidated through the code that answers POST /deployments, with a key made from date and name:
record, lock and execution, once a night however often Scheduler or Step Functions deliver. One that is busy is told as
such and not put in line, since a check must not hold up what comes after a rollout.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from chalicelib.domain.codec import decode_lenient
from chalicelib.domain.errors import Conflict, RolloutError, Throttled
from chalicelib.domain.model import Action, Deployment
from chalicelib.domain.nights import Checked, Verdict, checked, summed_up
from chalicelib.domain.times import Clock, stamp
from chalicelib.engine.polling import next_poll_s
from chalicelib.ports import Aws

from .start import begin, dead_lock

_CALLER = "proxyctl-nightly"
# One that has not ended by then runs on by itself, but the night does not wait for it.
_PATIENCE = timedelta(hours=1)
# Enough to see that it answers, and cheap enough for every night: 40 requests. A p99 of so few would be noise, and one
# failure among them is no trend.
LIGHT: Mapping[str, Any] = {
    "load": {"rps": 10, "duration_s": 4, "cold_starts": 0},
    "slo": {"p99_ms": None, "cold_start_ms": None, "error_rate": 0.05},
    "reason": "nightly revalidation",
}


@dataclass(frozen=True, slots=True)
class Poll:
    """What the call before this one answered."""

    deployment_id: str = ""
    asked: int = 0


@dataclass(frozen=True, slots=True)
class Item:
    """One environment of one night, as the Map hands it over; `result` is empty at first."""

    night: str
    environment: str
    result: Poll = Poll()


@dataclass(frozen=True, slots=True)
class Listed:
    """Where the names of those to be checked lie. They lie in S3 since the state may hold 256 KB only."""

    night: str
    began_at: str
    bucket: str
    key: str
    count: int
    error: Mapping[str, str] | None = None


def list_environments(event: Mapping[str, Any], aws: Aws, clock: Clock) -> dict[str, Any]:
    """event: `{scheduled_at?}`; answers `Listed`."""
    now = clock()
    night = _date(str(event.get("scheduled_at", "")), now)
    names = [one.name for one in aws.records.environments() if one.live is not None]
    key = f"nightly/{night}.json"
    aws.artifacts.put(key, json.dumps(names).encode(), content_type="application/json")
    return {
        "night": night,
        "began_at": stamp(now),
        "bucket": aws.settings.bucket,
        "key": key,
        "count": len(names),
    }


def _date(due: str, now: datetime) -> str:
    """The date on which it was due; today's for one that was started by hand, without a time or with none to read."""
    try:
        return datetime.fromisoformat(due).date().isoformat()
    except ValueError:
        return now.date().isoformat()


def revalidate_environment(event: Mapping[str, Any], aws: Aws, clock: Clock) -> dict[str, Any]:
    """Start the check, or see whether it has ended: `{status, poll_after_s, deployment_id, asked}`. SUCCEEDED says that
    it is on record what came of it, whatever that was: one broken environment stops no other."""
    item = decode_lenient(Item, dict(event))
    try:
        deployment = _begun(item, aws, clock)
    except Throttled:
        raise  # Step Functions tries again
    except Conflict as busy:
        if busy.code != "EnvironmentBusy":
            raise
        return _done(item, Checked(item.environment, Verdict.BUSY, why=busy.message), aws)
    except RolloutError as error:
        return _done(item, Checked(item.environment, Verdict.FAILED, why=error.message), aws)
    if deployment.status.is_final:
        return _done(item, checked(deployment), aws)
    if clock() - datetime.fromisoformat(deployment.created_at) > _PATIENCE:
        why = f"has not ended within {_PATIENCE}"
        return _done(item, Checked(item.environment, Verdict.FAILED, deployment.id, why), aws)
    return {
        "status": "IN_PROGRESS",
        "poll_after_s": next_poll_s(item.result.asked),
        "deployment_id": deployment.id,
        "asked": item.result.asked + 1,
    }


def _begun(item: Item, aws: Aws, clock: Clock) -> Deployment:
    """Raises Conflict while the environment is busy."""
    if item.result.deployment_id:
        return aws.records.deployment(item.result.deployment_id)
    _refuse_to_take_over(item.environment, aws, clock)
    asked = {"environment": item.environment, "action": Action.REVALIDATE.value, "options": dict(LIGHT)}
    return begin(asked, aws, clock, caller=_CALLER, key=f"nightly-{item.night}-{item.environment}")


def _refuse_to_take_over(name: str, aws: Aws, clock: Clock) -> None:
    """The users of a rollout that died may be half-way through a shift: the sweeper takes them back first, since a
    check moves nobody. A dead check may be taken over."""
    dead = dead_lock(aws.records.environment(name), aws, clock().timestamp())
    if dead and aws.records.deployment(dead.deployment_id).action is not Action.REVALIDATE:
        raise Conflict(f"deployment {dead.deployment_id} has died and is not settled yet", code="EnvironmentBusy")


def _done(item: Item, found: Checked, aws: Aws) -> dict[str, Any]:
    aws.nights.put(item.night, found)
    return {"status": "SUCCEEDED", "poll_after_s": 0, "deployment_id": found.deployment_id, "asked": item.result.asked}


def summarize_night(event: Mapping[str, Any], aws: Aws, clock: Clock) -> dict[str, Any]:
    """event: `Listed`, with the error if the Map itself failed. Answers the counts and `complete`: whether it is known
    of every environment what came of it."""
    listed = decode_lenient(Listed, dict(event))
    names = json.loads(aws.artifacts.get(listed.key))
    summary = summed_up(names, aws.nights.of(listed.night))
    failure = {"error": dict(listed.error)} if listed.error else {}
    told = {"began_at": listed.began_at, "ended_at": stamp(clock()), **summary, **failure}
    aws.nights.conclude(listed.night, told)
    counts = {name: value for name, value in summary.items() if name != "which"}
    return {"night": listed.night, **counts, "complete": not failure and not summary[Verdict.LOST]}
