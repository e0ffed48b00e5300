"""Ends a deployment: says how, keeps what the environment is now, writes history, and lets the environment go.

All of that is one transaction: whoever dies here has ended nothing yet, or everything. A deploy that someone asked to
stop while its last phase ran answers IN_PROGRESS: the state machine takes it back, and calls again.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from chalicelib.domain import expiry
from chalicelib.domain.codec import encode_record, merge
from chalicelib.domain.errors import Aborted, Conflict, LockLost
from chalicelib.domain.model import Action, Deployment, DeploymentStatus, Environment, PhaseRecord, PhaseStatus, Release
from chalicelib.domain.records import Ending
from chalicelib.engine.phase import Definition, Request, Result
from chalicelib.ports import Aws

from . import incidents
from .outcome import Outcome, outcome_of

_CHECKED_BY = "validate_endpoints"
_RELEASES = 10  # kept on record, newest first


def run(request: Request, aws: Aws) -> Result:
    at = request.now.isoformat(timespec="milliseconds")
    deployment = aws.records.deployment(request.deployment_id)
    recorded = aws.records.phases(request.deployment_id)
    outcome = outcome_of(
        request.action,
        recorded,
        request.error,
        aborted=deployment.abort_requested,
        current=deployment.current_phase or "",
        changed=_diff(request),
    )
    if outcome.broken and outcome.broken.status is PhaseStatus.RUNNING:
        dead = replace(
            outcome.broken,
            status=PhaseStatus.FAILED,
            ended_at=at,
            error=outcome.error,
            summary=str((outcome.error or {}).get("message", "")),
        )
        aws.records.put_phase(request.deployment_id, dead)
    ending = _ending(request, deployment, outcome, recorded, at, aws)
    try:
        kept = _end(deployment, ending, aws)
    except Aborted as aborted:
        return Result.in_progress(aborted.message, poll_after_s=1)
    except Conflict:
        # A call before this one wrote the end, and died before it could say so; what it wrote stands.
        aws.records.release_lock(request.environment.name, request.deployment_id)
        return Result.done("The outcome was on record already")
    return Result.done(outcome.summary, outcome=outcome.status.value, environment_kept=kept)


def _end(deployment: Deployment, ending: Ending, aws: Aws) -> bool:
    """False when another deployment holds the environment, so that nothing of it was kept."""
    try:
        aws.records.end(deployment, ending)
    except LockLost:
        held = aws.records.environment(deployment.environment).lock
        if held and held.deployment_id == deployment.id:
            raise  # another execution of this deployment is ending it, since this one was stopped
        aws.records.end_without(deployment, ending)
        return False
    return True


def _ending(
    request: Request, deployment: Deployment, outcome: Outcome, recorded: Sequence[PhaseRecord], at: str, aws: Aws
) -> Ending:
    validated = any(one.name == _CHECKED_BY and one.status is PhaseStatus.SUCCEEDED for one in recorded)
    incident = _incident(request, outcome, aws, validated=validated)
    good = outcome.status is DeploymentStatus.SUCCEEDED
    changes = {
        "status": outcome.status.value,
        "summary": outcome.summary,
        "ended_at": at,
        "error": dict(outcome.error) if outcome.error else None,
        "links": dict(request.results.get("write_handoff", {}).get("links", {})) or None,
        "current_phase": None,
    }
    return Ending(
        at=at,
        execution_arn=request.environment.lock.execution_arn if request.environment.lock else "",
        deployment=changes,
        environment=_changes(request, deployment, outcome, at) | incident | {"updated_at": at},
        history=_line(request, deployment, outcome),
        forgets=tuple(request.environment.applied) if good and request.action is Action.CLEANUP else (),
        # What another action has done by now cannot be taken back.
        unless_aborted=good and request.action is Action.DEPLOY,
    )


def _line(request: Request, deployment: Deployment, outcome: Outcome) -> dict[str, Any]:
    """Who did what, and why, for the environment's history."""
    shifted = request.results.get("shift_traffic", {})
    good = outcome.status is DeploymentStatus.SUCCEEDED
    return {
        "deployment_id": request.deployment_id,
        "action": request.action.value,
        "outcome": outcome.status.value,
        "summary": outcome.summary,
        "who": deployment.caller,
        "why": request.options.reason,
        "requested_at": deployment.created_at,
        "changed": "from_version" in shifted or not good,
        "users_saw_it": "from_version" in shifted and not good,
        "diff": _diff(request),
    }


def _incident(request: Request, outcome: Outcome, aws: Aws, *, validated: bool) -> dict[str, Any]:
    """Opens or closes the environment's incident, and tells it once: when a call is repeated, the event's time, and so
    its key, stay the same. A removed environment has none."""
    good = outcome.status is DeploymentStatus.SUCCEEDED
    judges = request.action is Action.REVALIDATE and incidents.says_something(outcome)
    # A release that has passed all checks just now is as good as a revalidation; one that was skipped says nothing.
    judges = judges or (request.action is Action.DEPLOY and good and validated)
    lock = request.environment.lock
    mine = lock is not None and lock.deployment_id == request.deployment_id
    if not mine or not (judges or (request.action is Action.CLEANUP and good)):
        return {}
    at = request.started_at.isoformat(timespec="milliseconds")
    changed = incidents.change(
        request.environment.incident, good=good, why=outcome.summary, at=at, deployment_id=request.deployment_id
    )
    if changed is None:
        return {}
    aws.records.add_event(request.deployment_id, at, changed.kind, changed.detail)
    return {"incident": dict(changed.incident) if changed.incident else None}


def _diff(request: Request) -> dict[str, Any]:
    """What this deployment asked for otherwise than the last good one had it: `{field: [before, now]}`."""
    good = request.environment.last_good
    if request.action is not Action.DEPLOY or good is None:
        return {}
    asked, before = dataclasses.asdict(request.config), dict(good.config)
    # A field that the last good one lacks is younger than it, and nobody's change.
    changed = {
        name: [before[name], value] for name, value in asked.items() if name in before and _plain(value) != before[name]
    }
    versions = {"version": [good.version, str(request.results.get("release_code", {}).get("version", good.version))]}
    return changed | {name: pair for name, pair in versions.items() if pair[0] != pair[1]}


def _plain(value: Any) -> Any:
    """As it looks after a round trip through the record: tuples are lists there."""
    return list(value) if isinstance(value, tuple) else value


def _changes(request: Request, deployment: Deployment, outcome: Outcome, at: str) -> dict[str, Any]:
    good = outcome.status is DeploymentStatus.SUCCEEDED
    if request.action is Action.DEPLOY:
        changes = _deployed(request, deployment, at) if good else {"status": _still(request.environment)}
        return changes | expiry.after_deploy(request.config, request.options, request.now)
    if request.action in (Action.PLAN, Action.DRILL):
        return {}
    if request.action is Action.ROLLBACK:
        # Users are there as soon as the aliases are, also when the settings beside them could not follow.
        return _rolled_back(request) if "roll_back" in request.results else {}
    if request.action is Action.CLEANUP:
        gone = {
            "live": None,
            "last_good": None,
            "previous": None,
            "releases": None,
            "links": None,
            "last_revalidation": None,
        }
        left = gone | {"status": "REMOVED"} if good else {"status": "PARTLY_REMOVED"}
        return left | expiry.after_clean_up(request.environment, request.now, good=good)
    if not incidents.says_something(outcome):
        return {}
    verdict = {"at": at, "verdict": "GOOD" if good else "BAD", "deployment_id": request.deployment_id}
    return {"last_revalidation": verdict | ({} if good else {"why": outcome.summary})}


def _still(environment: Environment) -> str:
    """A failed rollout takes nothing from users who had a release."""
    return "LIVE" if environment.live else "NEVER_LIVE"


def _deployed(request: Request, deployment: Deployment, at: str) -> dict[str, Any]:
    environment = request.environment
    version = str(request.results["release_code"]["version"])
    links: Mapping[str, Any] = request.results.get("write_handoff", {}).get("links", {})
    changes: dict[str, Any] = {"status": "LIVE", "links": dict(links)}
    config = merge(dataclasses.asdict(request.config), deployment.unknown_config)
    if environment.live and environment.live.version == version:
        # The stack's side of the configuration (throttling, retention) may have changed under the same version.
        return changes | _moved(environment, replace(environment.live, config=config))
    artifact = str(request.results.get("package_artifact", {}).get("digest", ""))
    return changes | _moved(environment, Release(version, request.deployment_id, at, artifact, config))


def _rolled_back(request: Request) -> dict[str, Any]:
    environment = request.environment
    back = request.results["roll_back"]
    version = str(back["version"])
    known = {release.version: release for release in environment.good}
    release = known.get(version) or Release(version, str(back["release_of"]), str(back["to"]))
    # The next rollback goes further back, never forward to what somebody has just left.
    versions = [one.version for one in environment.releases]
    older = environment.releases[versions.index(version) + 1 :] if version in versions else ()
    told = encode_record(release)
    previous = encode_record(older[0]) if older else None
    return {"status": "LIVE", "live": told, "last_good": told, "previous": previous}


def _moved(environment: Environment, release: Release) -> dict[str, Any]:
    """`previous` is what was good before, if that is another version."""
    before = environment.last_good
    others = [one for one in environment.good if one.version != release.version]
    told = encode_record(release)
    releases = [told, *map(encode_record, others)][:_RELEASES]
    changes: dict[str, Any] = {"live": told, "last_good": told, "releases": releases}
    if before and before.version != release.version:
        changes["previous"] = encode_record(before)
    return changes


PHASE = Definition(run, dict)
