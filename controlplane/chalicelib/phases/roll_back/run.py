"""Takes users back to the last good version, which holds code and settings, and to its secret version.

Runs after every failure from configure_monitoring on, after a stop from outside, and for the action `rollback`. Users
are moved by aliases alone, one call each. Then test alarms that an interrupted configure_monitoring left are reset.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from chalicelib.domain.aws.functions import Alias
from chalicelib.domain.errors import AwsCallFailed, LockLost, NotFound
from chalicelib.domain.evidence.release import ReleaseEvidence, RollBackEvidence
from chalicelib.domain.model import Action, PhaseStatus, Release
from chalicelib.engine.phase import Definition, Request, Result
from chalicelib.monitoring import fire
from chalicelib.ports import Aws
from chalicelib.stack.recovery import repair

from . import restore
from .destination import nothing_to_go_back_to, requested

UNRELEASED = "unreleased"  # ARTIFACT_DIGEST of the version that proxy/template.yaml creates


def run(request: Request, aws: Aws) -> Result[RollBackEvidence]:
    """Point both aliases at the good version.

    Raises AwsCallFailed (RollbackFailed, tried again by the state machine); for the action `rollback` also LockLost,
    and PhaseFailed: NothingToGoBackTo, NoSuchRelease.
    """
    lock = request.environment.lock
    if lock is None or lock.deployment_id != request.deployment_id:
        summary = "Another deployment holds the lock of this environment, so its traffic stays as it is"
        if request.action is Action.ROLLBACK:
            raise LockLost(summary, remedy="Send the rollback again.")
        return Result.skipped(summary)
    result = restore.go_back(_go_back(request, aws), request, aws)
    if not _was_firing_alarms(request, aws):
        return result
    reset = fire.reset_test_alarms(request.names, aws)
    summary = (
        f"{result.summary}; {len(reset)} test alarm{'s' * (len(reset) != 1)} reset to OK" if reset else result.summary
    )
    return replace(
        result, summary=summary, evidence=replace(result.evidence or RollBackEvidence(), hushed=tuple(reset))
    )


def _was_firing_alarms(request: Request, aws: Aws) -> bool:
    """Whether configure_monitoring started its test of the alarms and did not finish it."""
    statuses = {phase.name: phase.status for phase in aws.records.phases(request.deployment_id)}
    return statuses.get("configure_monitoring") in (PhaseStatus.RUNNING, PhaseStatus.FAILED)


def _go_back(request: Request, aws: Aws) -> Result[RollBackEvidence]:
    names = request.names
    is_requested = request.action is Action.ROLLBACK
    try:
        aliases = aws.functions.aliases(names.function)
    except NotFound:
        if is_requested:
            raise nothing_to_go_back_to(names.environment) from None
        return Result.skipped("Nothing to roll back: the function does not exist yet")
    target = _requested(request, aws) if is_requested else request.environment.last_good or _closed(request, aws)
    if target is None:
        return _stay(request, aliases)
    moved = _move(request, aws, aliases, target.version)
    # The candidate left the version that release_code had put it on.
    if "candidate" in moved:
        applied = ReleaseEvidence.PHASE
        aws.records.set_applied(names.environment, applied, None, holder=request.deployment_id)
    evidence = RollBackEvidence(target.version, moved, target.deployment_id, target.at, secret_to=target.secret_version)
    if not moved:
        return Result.skipped(f"Nothing to roll back: users are on version {target.version}", evidence)
    return Result.done(f"Rolled back: {_moves(moved, target.version)}", evidence)


def _moves(moved: Mapping[str, str], version: str) -> str:
    """`live from 3 to 2, candidate from 3 to 2`."""
    return ", ".join(
        f"{alias} from {old} to {version}" if old != version else f"{alias} gives version {old} all traffic again"
        for alias, old in moved.items()
    )


def _move(request: Request, aws: Aws, aliases: Mapping[str, Alias], version: str) -> dict[str, str]:
    """Point the aliases at `version`, the live one first; answers the version that each moved alias left.

    After a stop from outside a correct alias is set, too: a late Lambda of the stopped execution may be about to move
    it, and `engine/alias_guard` refuses that once the alias has a new revision.
    """
    moved: dict[str, str] = {}
    stopped = (request.error or {}).get("Error") == "ExecutionStopped"
    for name in ("live", "candidate"):
        alias = aliases.get(name)
        if alias is None:
            # Someone deleted it: without the live alias users get nothing at all.
            repair.make_alias(name, version, request, aws)
            moved[name] = "none"
            continue
        is_right = alias.version == version and not alias.weights
        if is_right and not stopped:
            continue
        _point(alias, version, moved, request, aws)
        if not is_right:
            moved[name] = _position(alias)
    return moved


def _point(alias: Alias, version: str, moved: Mapping[str, str], request: Request, aws: Aws) -> None:
    function = request.names.function
    try:
        aws.functions.point(function, Alias(alias.name, version))
    except Exception as error:
        progress = ", ".join(f"{name} is on {version}" for name in moved) or "nothing was moved"
        # Not a PhaseFailed: the state machine tries again.
        raise AwsCallFailed(
            f"alias {alias.name} could not be moved from {alias.version} to {version}: {error}; {progress}",
            code="RollbackFailed",
            remedy=f"aws lambda update-alias --function-name {function} --name {alias.name} "
            f"--function-version {version} --routing-config AdditionalVersionWeights={{}}",
            evidence={"moved": dict(moved), "stuck": {alias.name: alias.version}},
        ) from error


def _position(alias: Alias) -> str:
    """The alias's version, with the shares of others in the middle of a shift: `2 (50% on 3)`."""
    shares = [f"{share:.0%} on {version}" for version, share in alias.weights.items()]
    return f"{alias.version} ({', '.join(shares)})" if shares else alias.version


def _closed(request: Request, aws: Aws) -> Release | None:
    """The version that the stack created and that answers 503: a first release that fails goes back to it."""
    function = request.names.function
    for version in aws.functions.versions(function):
        if aws.functions.config(function, version.number).environment.get("ARTIFACT_DIGEST") == UNRELEASED:
            return Release(version.number, "", "")
    return None


def _stay(request: Request, aliases: Mapping[str, Alias]) -> Result[RollBackEvidence]:
    if request.action is Action.ROLLBACK:
        raise nothing_to_go_back_to(request.environment.name)
    live = aliases["live"].version if "live" in aliases else "none"
    summary = f"Nothing to roll back to: this environment has no good release; live stays on version {live}"
    return Result.skipped(summary, RollBackEvidence(live=live))


def _requested(request: Request, aws: Aws) -> Release | None:
    version = request.options.rollback_to
    existing = [] if version is None else [entry.number for entry in aws.functions.versions(request.names.function)]
    return requested(request.environment, version, existing)


PHASE = Definition(run, RollBackEvidence)
