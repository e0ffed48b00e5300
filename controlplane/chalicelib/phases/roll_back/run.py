"""Takes users back to the last good version, code and settings together, since a version holds both.

Runs after any failure from configure_monitoring on, for what was stopped from outside, and for the action `rollback`.
What serves users is put back by aliases only: one call each. Then alarms that ring for a drill are hushed.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from chalicelib.domain.aws.functions import Alias
from chalicelib.domain.errors import AwsCallFailed, LockLost, NotFound, PhaseFailed
from chalicelib.domain.model import Action, PhaseStatus, Release
from chalicelib.domain.names import Names
from chalicelib.engine.phase import Definition, Request, Result
from chalicelib.monitoring import fire
from chalicelib.ports import Aws

UNRELEASED = "unreleased"  # what proxy/template.yaml sets in place of a digest


def run(request: Request, aws: Aws) -> Result:
    lock = request.environment.lock
    if lock is None or lock.deployment_id != request.deployment_id:
        told = "Another deployment holds the environment; its traffic is not ours to move"
        if request.action is Action.ROLLBACK:
            raise LockLost(told, remedy="Send the rollback again.")
        return Result.skipped(told)
    names = Names(request.environment.name)
    result = _go_back(request, names, aws)
    if not _was_drilling(request, aws):
        return result
    hushed = fire.reset_test_alarms(names, aws)
    told = f"{result.summary}; {len(hushed)} alarms that rang for a drill were hushed"
    return dataclasses.replace(result, summary=told, evidence={**result.evidence, "hushed": hushed})


def _was_drilling(request: Request, aws: Aws) -> bool:
    """Whether configure_monitoring began to fire alarms, and did not come to its end."""
    recorded = {phase.name: phase.status for phase in aws.records.phases(request.deployment_id)}
    return recorded.get("configure_monitoring") in (PhaseStatus.RUNNING, PhaseStatus.FAILED)


def _go_back(request: Request, names: Names, aws: Aws) -> Result:
    asked = request.action is Action.ROLLBACK
    try:
        aliases = aws.functions.aliases(names.function)
    except NotFound:
        if asked:
            raise _nothing(request) from None
        return Result.skipped("There is no function yet, so that there is nothing to go back from")
    target = _asked_for(request, names, aws) if asked else request.environment.last_good or _closed(names, aws)
    if target is None:
        return _nowhere(request, aliases)
    moved = _move(names, request, aws, aliases, target.version)
    # The candidate left the version that release_code had put it on.
    if "candidate" in moved:
        aws.records.set_applied(names.environment, "release_code", None, holder=request.deployment_id)
    where = ", ".join(
        f"{alias} from {old} to {target.version}"
        if old != target.version
        else f"{alias} gives version {old} all traffic again"
        for alias, old in moved.items()
    )
    evidence = {
        "version": target.version,
        "moved": moved,
        "release_of": target.deployment_id,
        "to": target.at,
    }
    if not moved:
        return Result.skipped(f"Both aliases are on version {target.version} already", **evidence)
    return Result.done(f"Went back: {where}", **evidence)


def _move(names: Names, request: Request, aws: Aws, aliases: Mapping[str, Alias], version: str) -> dict[str, str]:
    """Which alias left which version. The live one goes first: users before tests.

    One that stands right is set all the same when the execution was stopped: a Lambda of that may be about to move it,
    and is refused once it has been touched (see `fence`).
    """
    moved: dict[str, str] = {}
    stopped = (request.error or {}).get("Error") == "ExecutionStopped"
    for alias in ("live", "candidate"):
        stands = aliases.get(alias)
        right = stands is not None and stands.version == version and not stands.weights
        if stands is None or (right and not stopped):
            continue
        try:
            aws.functions.point(names.function, Alias(alias, version))
        except Exception as error:
            done = ", ".join(f"{name} is on {version}" for name in moved) or "nothing was moved"
            # Not a PhaseFailed: the state machine asks again.
            raise AwsCallFailed(
                f"alias {alias} could not be moved from {stands.version} to {version}: {error}; {done}",
                code="RollbackFailed",
                remedy=f"aws lambda update-alias --function-name {names.function} --name {alias} "
                f"--function-version {version} --routing-config AdditionalVersionWeights={{}}",
                evidence={"moved": moved, "stuck": {alias: stands.version}},
            ) from error
        if not right:
            moved[alias] = _was(stands)
    return moved


def _was(alias: Alias) -> str:
    """Where it stood, half-way through a shift too."""
    shares = [f"{share:.0%} on {version}" for version, share in alias.weights.items()]
    return f"{alias.version} ({', '.join(shares)})" if shares else alias.version


def _closed(names: Names, aws: Aws) -> Release | None:
    """Where a first release goes back to: the version that the stack made, which answers 503 to users."""
    for version in aws.functions.versions(names.function):
        if aws.functions.config(names.function, version.number).environment.get("ARTIFACT_DIGEST") == UNRELEASED:
            return Release(version.number, "", "")
    return None


def _nowhere(request: Request, aliases: Mapping[str, Alias]) -> Result:
    live = aliases["live"].version if "live" in aliases else "none"
    if request.action is Action.ROLLBACK:
        raise _nothing(request)
    return Result.skipped(f"No release of this environment was ever good; live stays on version {live}", live=live)


def _nothing(request: Request) -> PhaseFailed:
    return PhaseFailed(
        f"environment {request.environment.name} has no earlier good release to go back to",
        code="NothingToGoBackTo",
        field="environment",
        remedy="Name a version in options.rollback_to, or deploy a good one.",
    )


def _asked_for(request: Request, names: Names, aws: Aws) -> Release | None:
    """The version that the caller names; else the good one before what is live now."""
    wanted = request.options.rollback_to
    environment = request.environment
    if wanted is None:
        good, live = environment.last_good, environment.live
        return environment.previous if good and live and good.version == live.version else good
    there = [version.number for version in aws.functions.versions(names.function)]
    passed = {release.version: release for release in environment.good if release.version in there}
    if wanted in passed:
        return passed[wanted]
    # What never passed reaches no user on this way either, least of all the closed version that answers 503.
    why = "never passed as a release" if wanted in there else "does not exist (any more)"
    raise PhaseFailed(
        f"version {wanted} of {names.function} {why}",
        code="NoSuchRelease",
        field="options.rollback_to",
        remedy=f"Releases that passed and still exist: {', '.join(sorted(passed, key=int)) or 'none'}.",
    )


PHASE = Definition(run, dict)
