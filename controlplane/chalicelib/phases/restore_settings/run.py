"""Restores the settings that a release ran with outside of its function version: throttle, log retention, alarms.

Runs after the action `rollback`, once users are on the version. The automatic rollback moves aliases only, because it
must not wait for CloudFormation. The stack keeps its template and all other parameters. Settings that only a deploy
changes are named in the summary.
"""

from __future__ import annotations

from dataclasses import replace

from chalicelib.domain.aws.stacks import Stack
from chalicelib.domain.codec import decode_lenient
from chalicelib.domain.config import Config
from chalicelib.domain.errors import PhaseFailed
from chalicelib.domain.evidence.release import RollBackEvidence
from chalicelib.domain.evidence.stack import RestoreEvidence, StackEvidence
from chalicelib.domain.words import counted
from chalicelib.engine.phase import Definition, Request, Result, Status
from chalicelib.monitoring import alarms
from chalicelib.ports import Aws
from chalicelib.stack import follow, inputs, state
from chalicelib.stack.change_set import advance
from chalicelib.stack.state import Move

from . import settings
from .cursor import RestoreCursor, extend
from .settings import Pairs

_TIMEOUT_S = 15 * 60
# The settings that these phases applied do not hold any more: the next deploy must not skip them.
_OUTDATED = ("deploy_stack", "configure_monitoring")


def run(request: Request, aws: Aws) -> Result[RestoreEvidence]:
    """One step of the stack's update, then the alarms; SKIPPED when nothing differs or no settings are on record.

    Raises PhaseFailed (SettingsNotRestored) when the stack cannot be updated, with the version that users are on.
    """
    version = request.results.of(RollBackEvidence).version
    release = settings.release_with_config(request.environment, version)
    if release is None:
        return Result.skipped(
            f"The settings of version {version} are not on record: throttle, log retention and alarms stay as they "
            "are. A deploy with config sets them",
            RestoreEvidence(),
        )
    stack = inputs.must_find(request.names.stack, aws)
    config = decode_lenient(Config, dict(release.config))
    # Deletion protection is not a setting of a release: it stays as it is.
    restoring = replace(request, config=replace(config, protected=stack.protected))
    differs = request.cursor_as(RestoreCursor).differs or settings.restorable(config, stack)
    try:
        update = _update_stack(restoring, stack, differs, aws)
    except PhaseFailed as failed:
        raise _not_restored(version, differs, failed) from failed
    if update is not None and update.status is Status.IN_PROGRESS:
        return _in_progress(update, differs)
    count = _restore_alarms(restoring, stack, aws)
    return _done(version, RestoreEvidence(differs, count, settings.lasting(config, stack)))


def _update_stack(request: Request, stack: Stack, differs: Pairs, aws: Aws) -> Result[StackEvidence] | None:
    """One step of the update; None when there is nothing to update."""
    if request.elapsed_s > _TIMEOUT_S:
        raise PhaseFailed(f"the stack operation has not ended within {_TIMEOUT_S // 60} minutes", code="StackTimeout")
    step = request.cursor_as(RestoreCursor).step
    if step == "executing":
        return follow.follow(request, aws)
    if step == "changing":
        change_set = aws.stacks.change_set(stack.name, inputs.change_set_name(request))
        return advance(change_set, False, request, aws, StackEvidence())
    if not differs:
        return None
    move = state.next_move(stack.status)
    if move is Move.WAIT:
        return request.wait(
            f"Waiting for another operation on stack {stack.name} ({stack.status})", step="another operation"
        )
    if move is not Move.UPDATE:
        raise PhaseFailed(f"stack {stack.name} is in {stack.status}", code="StackNeedsHands")
    return _begin_update(request, stack, differs, aws)


def _begin_update(request: Request, stack: Stack, differs: Pairs, aws: Aws) -> Result[StackEvidence]:
    _outdate_fingerprints(request, aws)
    change_set = aws.stacks.create_change_set(
        stack.name,
        inputs.change_set_name(request),
        template=None,
        parameters=settings.parameters(stack, differs),
        tags=request.names.tags,
        creates=False,
    )
    return advance(change_set, False, request, aws, StackEvidence())


def _outdate_fingerprints(request: Request, aws: Aws) -> None:
    """Keep the phases' evidence, which others read, and replace the fingerprints, so that the next deploy runs them."""
    for phase in _OUTDATED:
        if applied := request.environment.applied.get(phase):
            outdated = replace(applied, fingerprint="settings restored")
            aws.records.set_applied(request.environment.name, phase, outdated, holder=request.deployment_id)


def _restore_alarms(request: Request, stack: Stack, aws: Aws) -> int:
    """How many alarms were redefined."""
    names = request.names
    topic = aws.topics.find(names.topic)
    if topic is None:
        return 0  # someone deleted it; a revalidation names that
    wanted = alarms.definitions(names, request.config.alarms, stage=stack.outputs["StageName"], topic_arn=topic)
    changed = settings.changed_alarms(wanted, aws.alarms.find(names.alarm("")))
    for alarm in changed:
        aws.alarms.put(alarm, names.tags)
    return len(changed)


def _in_progress(update: Result[StackEvidence], differs: Pairs) -> Result[RestoreEvidence]:
    evidence = None
    if update.evidence is not None:
        evidence = RestoreEvidence(changes=update.evidence.changes, resources=update.evidence.resources)
    return Result(
        update.status,
        update.summary,
        evidence,
        extend(update.cursor, differs),
        update.poll_after_s,
        waits=update.waits,
    )


def _done(version: str, evidence: RestoreEvidence) -> Result[RestoreEvidence]:
    restored = settings.described(evidence.restored) or "throttle and log retention already match"
    summary = f"Settings of version {version}: {restored}"
    if evidence.alarms:
        summary += f"; redefined {counted(evidence.alarms, 'alarm')}"
    if evidence.stays:
        summary += f". NOT restored, because only a deploy changes it: {settings.described(evidence.stays)}"
    if evidence.restored or evidence.alarms:
        return Result.done(summary, evidence)
    return Result.skipped(summary, evidence)


def _not_restored(version: str, differs: Pairs, failed: PhaseFailed) -> PhaseFailed:
    current = ", ".join(f"{name} {now} (it ran with {then})" for name, (now, then) in differs.items())
    return PhaseFailed(
        f"users are on version {version}, but the stack still has {current}: {failed.message}",
        code="SettingsNotRestored",
        remedy="Send the rollback again once no operation runs on the stack; or deploy with the version's config, "
        "which GET /environments shows under live.",
        evidence={"stays": dict(differs), **failed.evidence},
    )


PHASE = Definition(run, RestoreEvidence, RestoreCursor)
