"""Restores what users feel beside the function version as a release had it: API snapshot, limits, protection, alarms.

The alarms' recipients go back with them.

Runs after roll_back, once users are on the version: for the action `rollback` with the release that was chosen, after a
failed, aborted or killed deploy with the last good one. The stack gets the template and the parameters that are on the
release's record, so that what was made for the candidate goes, too. What was deleted underneath the stack meanwhile is
named and made again.
"""

from __future__ import annotations

from dataclasses import replace

from chalicelib.domain.aws.stacks import Stack
from chalicelib.domain.codec import decode_lenient
from chalicelib.domain.config import Config
from chalicelib.domain.errors import PhaseFailed
from chalicelib.domain.evidence.release import RollBackEvidence
from chalicelib.domain.evidence.stack import RestoreEvidence
from chalicelib.domain.model import Action, PhaseStatus, Release
from chalicelib.domain.words import counted
from chalicelib.engine.phase import Definition, Request, Result
from chalicelib.monitoring import apply
from chalicelib.ports import Aws
from chalicelib.stack import inputs, live
from chalicelib.stack.cursor import SettingsCursor
from chalicelib.stack.recovery import repair
from chalicelib.stack.update import Convergence, Target, converge, in_progress

# The settings that these phases applied do not hold any more: the next deploy must not skip them.
_OUTDATED = ("deploy_stack", "configure_monitoring")
# A deploy that ended before these began has changed nothing that this step restores.
_CHANGING = ("deploy_stack", "configure_monitoring", "apply_settings")


def run(request: Request, aws: Aws) -> Result[RestoreEvidence]:
    """One step of the stack's update, then protection and alarms; SKIPPED when nothing differs, no settings are on
    record, or another deployment holds the environment.

    Raises PhaseFailed (SettingsNotRestored) when the stack cannot be updated, with the version that users are on.
    """
    release, stack = _release(request), aws.stacks.find(request.names.stack)
    if release is None or stack is None:
        return Result.skipped(_nothing_on_record(request), RestoreEvidence())
    if why := _nothing_to_do(stack, request, aws):
        return Result.skipped(why, RestoreEvidence())
    config = decode_lenient(Config, dict(release.config))
    text, wanted = inputs.for_release(release, stack, aws)
    try:
        reached = converge(Target("restore", text, wanted, config.protected), stack, request, aws)
    except PhaseFailed as failed:
        differs = request.cursor_as(SettingsCursor).differs or live.differing(stack, wanted, config.protected)
        raise _not_restored(release.version, differs, failed) from failed
    if reached.waits:
        _outdate_fingerprints(request, aws)
        return in_progress(reached.waits, RestoreEvidence)
    return _finish(release, config, reached, request, aws)


def _release(request: Request) -> Release | None:
    """The release whose settings are restored; None without one, or when its settings are not on record."""
    if request.action is Action.ROLLBACK:
        back = request.results.of(RollBackEvidence)
        same = [item for item in request.environment.good if item.version == back.version and item.config]
        return next((item for item in same if item.secret_version == back.secret_to), next(iter(same), None))
    good = request.environment.last_good
    return good if good and good.config else None


def _nothing_on_record(request: Request) -> str:
    if request.action is Action.ROLLBACK:
        version = request.results.of(RollBackEvidence).version
        return f"The settings of version {version} are not on record and stay. A deploy with config sets them"
    return "Nothing to restore: no release before this deployment has its settings on record"


def _nothing_to_do(stack: Stack, request: Request, aws: Aws) -> str:
    """Why this deployment has nothing to restore; "" when it may have."""
    lock = request.environment.lock
    if lock is None or lock.deployment_id != request.deployment_id:
        return "Another deployment holds the lock of this environment, so its settings stay as they are"
    if request.action is Action.ROLLBACK:
        return ""
    statuses = {phase.name: phase.status for phase in aws.records.phases(request.deployment_id)}
    idle = (None, PhaseStatus.PENDING, PhaseStatus.SKIPPED)
    untouched = all(statuses.get(name) in idle for name in _CHANGING)
    if untouched and request.is_first_call and not repair.find_losses(stack, request, aws):
        return "Nothing to restore: this deployment had not changed the stack or the alarms"
    return ""


def _outdate_fingerprints(request: Request, aws: Aws) -> None:
    """Keep the phases' evidence, which others read, and replace the fingerprints, so that the next deploy runs them."""
    for phase in _OUTDATED:
        if applied := request.environment.applied.get(phase):
            # The role's policy, too, may be that of the other release now.
            evidence = {name: value for name, value in applied.evidence.items() if name != "role_policy"}
            outdated = replace(applied, fingerprint="settings restored", evidence=evidence)
            aws.records.set_applied(request.environment.name, phase, outdated, holder=request.deployment_id)


def _finish(
    release: Release, config: Config, reached: Convergence, request: Request, aws: Aws
) -> Result[RestoreEvidence]:
    alarms = len(apply.set_alarms(config, reached.stack.outputs["StageName"], request.names, aws))
    evidence = RestoreEvidence(reached.differs, alarms, repaired=reached.restored or None)
    # A record that does not say who they are takes nobody off.
    recipients = apply.set_recipients(config, request.names, aws) if "notify" in release.config else []
    redefined = f"redefined {counted(alarms, 'alarm')}" if alarms else ""
    parts = [live.described(reached.differs), redefined, *recipients]
    if not any((*parts, *reached.restored)):
        return Result.skipped(f"Users have the settings of version {release.version}", evidence)
    done = "; ".join(filter(None, [*parts, *reached.restored]))
    return Result.done(f"Restored the settings of version {release.version}: {done}", evidence)


def _not_restored(version: str, differs: live.Pairs, failed: PhaseFailed) -> PhaseFailed:
    current = ", ".join(f"{name} {now} (it ran with {then})" for name, (now, then) in differs.items())
    return PhaseFailed(
        f"users are on version {version}, but the stack still has {current or 'other settings'}: {failed.message}",
        code="SettingsNotRestored",
        remedy="POST /deployments with action rollback once no operation runs on the stack; or deploy with the "
        "version's config, which GET /environments shows under live.",
        evidence={"stays": dict(differs), **failed.evidence},
    )


PHASE = Definition(run, RestoreEvidence, SettingsCursor)
