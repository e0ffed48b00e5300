"""The three tasks of the nightly state machine: list the live environments, revalidate each, summarize the night.

A revalidation starts as POST /deployments starts one, with a key of date and name: record, lock and execution exist
once a night however often Scheduler or Step Functions deliver. A busy environment is reported as busy and not queued,
since a check must not delay the rollouts that wait.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from chalicelib.domain.codec import decode_lenient, encode
from chalicelib.domain.config import Config
from chalicelib.domain.errors import Conflict, RolloutError, Throttled
from chalicelib.domain.evidence.drift import DriftEvidence
from chalicelib.domain.model import Action, Deployment, DeploymentStatus, Environment
from chalicelib.domain.nights import CALLER, Checked, NightVerdict, summarize
from chalicelib.domain.times import Clock, stamp
from chalicelib.engine.polling import next_poll_s
from chalicelib.ports import Aws

from .settle import dead_lock
from .start import begin

_DRIFT = "Drift"  # the code that check_drift fails with
# A revalidation that takes longer goes on by itself, but the night does not wait for it.
_TIMEOUT = timedelta(hours=1)
# Enough to see that the environment answers, and cheap enough for every night: 40 requests. The p99 of so few would be
# noise, and a single failure among them is no trend.
LIGHT: Mapping[str, object] = {
    "load": {"rps": 10, "duration_s": 4, "cold_starts": 0},
    "slo": {"p99_ms": None, "cold_start_ms": None, "error_rate": 0.05},
    "reason": "nightly revalidation",
}
_NOT_COUNTS = frozenset({"which", "began_at", "ended_at", "error"})


@dataclass(frozen=True, slots=True)
class Poll:
    """The answer of the previous call. polls: calls so far that answered IN_PROGRESS."""

    deployment_id: str = ""
    polls: int = 0


@dataclass(frozen=True, slots=True)
class Item:
    """One environment of one night, an item of the Map; `result` is empty at first."""

    night: str
    environment: str
    result: Poll = Poll()


@dataclass(frozen=True, slots=True)
class Listed:
    """Where the list of environments is stored. It lies in S3 because the state may hold 256 KB only.

    error: what an ASL Catch caught when the Map itself failed.
    """

    night: str
    began_at: str
    bucket: str
    key: str
    count: int
    error: Mapping[str, str] | None = None


def list_environments(event: Mapping[str, object], aws: Aws, clock: Clock) -> dict[str, object]:
    """event: `{scheduled_at?}`; answers `Listed`."""
    now = clock()
    night = _date(str(event.get("scheduled_at", "")), now)
    names = [environment.name for environment in aws.records.environments() if environment.live is not None]
    key = f"nightly/{night}.json"
    aws.artifacts.put(key, json.dumps(names).encode(), content_type="application/json")
    return encode(Listed(night, stamp(now), aws.settings.bucket, key, len(names)))


def _date(scheduled_at: str, now: datetime) -> str:
    """The date on which the night was due; today's for one that was started by hand."""
    try:
        return datetime.fromisoformat(scheduled_at).date().isoformat()
    except ValueError:
        return now.date().isoformat()


def revalidate_environment(event: Mapping[str, object], aws: Aws, clock: Clock) -> dict[str, object]:
    """Start the revalidation, or see whether it has ended; answers `{status, poll_after_s, deployment_id, polls}`.

    event: `Item`. SUCCEEDED means that the verdict is on record, whatever it is: a broken environment does not stop the
    night.
    """
    item = decode_lenient(Item, event)
    try:
        deployment = _deployment(item, aws, clock)
    except Throttled:
        raise  # Step Functions tries again
    except Conflict as busy:
        if busy.code != "EnvironmentBusy":
            raise
        return _record(item, Checked(item.environment, NightVerdict.BUSY, why=busy.message), aws)
    except RolloutError as error:
        return _record(item, Checked(item.environment, NightVerdict.FAILED, why=error.message), aws)
    if deployment.status.is_final:
        return _record(item, verdict_of(deployment, _healed(deployment, aws)), aws)
    if clock() - datetime.fromisoformat(deployment.created_at) > _TIMEOUT:
        why = f"has not ended within {_TIMEOUT}"
        return _record(item, Checked(item.environment, NightVerdict.FAILED, deployment.id, why), aws)
    return {
        "status": "IN_PROGRESS",
        "poll_after_s": next_poll_s(item.result.polls),
        "deployment_id": deployment.id,
        "polls": item.result.polls + 1,
    }


def _deployment(item: Item, aws: Aws, clock: Clock) -> Deployment:
    """The revalidation, started in the first call. Raises Conflict while the environment is busy."""
    if item.result.deployment_id:
        return aws.records.deployment(item.result.deployment_id)
    _refuse_to_take_over(item.environment, aws, clock)
    body = {
        "environment": item.environment,
        "action": Action.REVALIDATE.value,
        "options": {**LIGHT, **_healing(aws.records.environment(item.environment))},
    }
    return begin(body, aws, clock, caller=CALLER, key=f"nightly-{item.night}-{item.environment}")


def _healing(environment: Environment) -> dict[str, object]:
    """The options with which a night restores drift. The configuration may be one of another version."""
    good = environment.last_good
    wanted = decode_lenient(Config, dict(good.config)).heal_at_night if good else False
    return {"heal": wanted, "leave_alias": wanted}


def _refuse_to_take_over(name: str, aws: Aws, clock: Clock) -> None:
    """Raises Conflict when the lock's holder is dead and not a revalidation.

    A rollout that died may have shifted part of the traffic; the sweeper shifts it back first, which a revalidation
    does not do.
    """
    dead = dead_lock(aws.records.environment(name), aws, clock().timestamp())
    if dead and aws.records.deployment(dead.deployment_id).action is not Action.REVALIDATE:
        raise Conflict(f"deployment {dead.deployment_id} died and is not settled yet", code="EnvironmentBusy")


def _healed(deployment: Deployment, aws: Aws) -> str:
    """What the revalidation restored, "" for nothing."""
    phases = {phase.name: phase.evidence for phase in aws.records.phases(deployment.id)}
    return "; ".join(decode_lenient(DriftEvidence, dict(phases.get(DriftEvidence.PHASE, {}))).healed)


def verdict_of(deployment: Deployment, healed: str = "") -> Checked:
    """The verdict of a revalidation that has ended. healed: what it restored."""
    if deployment.status is DeploymentStatus.SUCCEEDED:
        verdict = NightVerdict.HEALED if healed else NightVerdict.GOOD
        return Checked(deployment.environment, verdict, deployment.id, healed)
    drifted = (deployment.error or {}).get("code") == _DRIFT
    verdict = NightVerdict.DRIFTED if drifted else NightVerdict.FAILED
    return Checked(deployment.environment, verdict, deployment.id, deployment.summary)


def _record(item: Item, checked: Checked, aws: Aws) -> dict[str, object]:
    aws.nights.put(item.night, checked)
    return {
        "status": "SUCCEEDED",
        "poll_after_s": 0,
        "deployment_id": checked.deployment_id,
        "polls": item.result.polls,
    }


def summarize_night(event: Mapping[str, object], aws: Aws, clock: Clock) -> dict[str, object]:
    """event: `Listed`. Answers the counts, and `complete`: whether every environment has a verdict on record."""
    listed = decode_lenient(Listed, event)
    names = json.loads(aws.artifacts.get(listed.key))
    summary = summarize(names, aws.nights.of(listed.night))
    summary = replace(
        summary, night=listed.night, began_at=listed.began_at, ended_at=stamp(clock()), error=listed.error
    )
    aws.nights.conclude(listed.night, encode(summary))
    counts = {name: value for name, value in encode(summary).items() if name not in _NOT_COUNTS}
    return {**counts, "complete": not listed.error and not summary.lost}
