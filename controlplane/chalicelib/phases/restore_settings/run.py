"""Restores what users feel beside the function version as a release had it: API snapshot, limits, protection, alarms.

Runs after roll_back, once users are on the version: for the action `rollback` with the release that was chosen, after a
failed, aborted or killed deploy with the last good one. The stack gets the template and the parameters that are on the
release's record, so that what was made for the candidate goes, too.
"""

from __future__ import annotations

from dataclasses import replace

from chalicelib.domain.aws.stacks import Stack
from chalicelib.domain.codec import decode_lenient
from chalicelib.domain.config import Config
from chalicelib.domain.errors import PhaseFailed
from chalicelib.domain.evidence.release import RollBackEvidence
from chalicelib.domain.evidence.stack import RestoreEvidence, StackEvidence
from chalicelib.domain.model import Action, PhaseStatus, Release
from chalicelib.domain.words import counted
from chalicelib.engine.phase import Definition, Request, Result, Status
from chalicelib.monitoring import apply
from chalicelib.ports import Aws
from chalicelib.stack import inputs, live, look, state, update

from .cursor import RestoreCursor, extend

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
    if why := _nothing_to_do(request, aws):
        return Result.skipped(why, RestoreEvidence())
    config = decode_lenient(Config, dict(release.config))
    text, wanted = inputs.for_release(release, stack, aws)
    cursor = request.cursor_as(RestoreCursor)
    differs = cursor.differs or live.differing(stack, wanted, config.protected)
    if cursor.step or live.needs_update(differs) or state.in_progress(stack.status):
        try:
            step = update.step(update.Update("restore", text, wanted.parameters), stack, request, aws)
        except PhaseFailed as failed:
            raise _not_restored(release.version, differs, failed) from failed
        if step.status is Status.IN_PROGRESS:
            _outdate_fingerprints(request, aws)
            return _in_progress(step, differs)
        stack = look.must_find(request.names.stack, aws)
    return _finish(release.version, config, stack, differs, request, aws)


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


def _nothing_to_do(request: Request, aws: Aws) -> str:
    """Why this deployment has nothing to restore; "" when it may have."""
    lock = request.environment.lock
    if lock is None or lock.deployment_id != request.deployment_id:
        return "Another deployment holds the lock of this environment, so its settings stay as they are"
    if request.action is Action.ROLLBACK:
        return ""
    statuses = {phase.name: phase.status for phase in aws.records.phases(request.deployment_id)}
    idle = (None, PhaseStatus.PENDING, PhaseStatus.SKIPPED)
    if all(statuses.get(name) in idle for name in _CHANGING):
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


def _in_progress(step: Result[StackEvidence], differs: live.Pairs) -> Result[RestoreEvidence]:
    changed = step.evidence or StackEvidence()
    evidence = RestoreEvidence(changes=changed.changes or None, resources=changed.resources or None)
    return Result(
        step.status, step.summary, evidence, extend(step.cursor, differs), step.poll_after_s, waits=step.waits
    )


def _finish(
    version: str, config: Config, stack: Stack, differs: live.Pairs, request: Request, aws: Aws
) -> Result[RestoreEvidence]:
    if stack.protected != config.protected:
        aws.stacks.protect(stack.name, config.protected)
    alarms = len(apply.set_alarms(config, stack.outputs["StageName"], request.names, aws))
    evidence = RestoreEvidence(differs, alarms)
    if not differs and not alarms:
        return Result.skipped(f"Users have the settings of version {version}", evidence)
    parts = [live.described(differs), f"redefined {counted(alarms, 'alarm')}" if alarms else ""]
    return Result.done(f"Restored the settings of version {version}: {'; '.join(filter(None, parts))}", evidence)


def _not_restored(version: str, differs: live.Pairs, failed: PhaseFailed) -> PhaseFailed:
    current = ", ".join(f"{name} {now} (it ran with {then})" for name, (now, then) in differs.items())
    return PhaseFailed(
        f"users are on version {version}, but the stack still has {current or 'other settings'}: {failed.message}",
        code="SettingsNotRestored",
        remedy="POST /deployments with action rollback once no operation runs on the stack; or deploy with the "
        "version's config, which GET /environments shows under live.",
        evidence={"stays": dict(differs), **failed.evidence},
    )


PHASE = Definition(run, RestoreEvidence, RestoreCursor)
