"""Gives users what the release changes beside the function version: API snapshot, limits, protection, alarms.

Runs after shift_traffic and before the bake, which judges version and settings together. Until here the users' stage
has what their release before had (deploy_stack). A failure afterwards takes it back (restore_settings).
"""

from __future__ import annotations

from chalicelib.domain.aws.stacks import Stack
from chalicelib.domain.evidence.stack import SettingsEvidence, StackEvidence
from chalicelib.domain.words import counted
from chalicelib.engine.phase import Definition, Request, Result, Status
from chalicelib.monitoring import apply
from chalicelib.ports import Aws
from chalicelib.stack import inputs, live, look, update

from .cursor import SettingsCursor, extend


def run(request: Request, aws: Aws) -> Result[SettingsEvidence]:
    """One step of the stack's change, then protection and alarms; SKIPPED when users have all of it already.

    Raises what `stack.update` raises.
    """
    stack = look.must_find(request.names.stack, aws)
    text, wanted = inputs.for_users(stack, request, aws)
    cursor = request.cursor_as(SettingsCursor)
    differs = cursor.differs or live.differing(stack, wanted, request.config.protected)
    if cursor.step or live.needs_update(differs):
        step = update.step(update.Update("apply", text, wanted.parameters), stack, request, aws)
        if step.status is Status.IN_PROGRESS:
            return _in_progress(step, differs)
        stack = look.must_find(request.names.stack, aws)
    return _finish(stack, wanted.snapshot, differs, request, aws)


def _finish(stack: Stack, snapshot: str, differs: live.Pairs, request: Request, aws: Aws) -> Result[SettingsEvidence]:
    if stack.protected != request.config.protected:
        aws.stacks.protect(stack.name, request.config.protected)
    alarms = apply.set_alarms(request.config, stack.outputs["StageName"], request.names, aws)
    evidence = SettingsEvidence(
        changed=differs,
        alarms=alarms,
        bundle=aws.settings.bundle_key,
        snapshot=snapshot,
        parameters=dict(stack.parameters),
    )
    if not differs and not alarms:
        return Result.skipped("Users already have the settings of this release", evidence)
    return Result.done(_summary(differs, alarms), evidence)


def _summary(differs: live.Pairs, alarms: tuple[str, ...]) -> str:
    parts = [live.described(differs), f"redefined {counted(len(alarms), 'alarm')}" if alarms else ""]
    return f"Users have the settings of this release: {'; '.join(filter(None, parts))}"


def _in_progress(step: Result[StackEvidence], differs: live.Pairs) -> Result[SettingsEvidence]:
    changed = step.evidence or StackEvidence()
    evidence = SettingsEvidence(changes=changed.changes, resources=changed.resources)
    return Result(
        step.status, step.summary, evidence, extend(step.cursor, differs), step.poll_after_s, waits=step.waits
    )


PHASE = Definition(run, SettingsEvidence, SettingsCursor)
