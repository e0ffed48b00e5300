"""Gives users what the release changes beside the function version: API snapshot, limits, protection, alarms.

Runs after shift_traffic and before the bake, which judges version and settings together. Until here the users' stage
has what their release before had (deploy_stack), and its alarms go to that release's recipients (configure_monitoring).
A failure afterwards takes it back (restore_settings).
"""

from __future__ import annotations

from dataclasses import replace

from chalicelib.checks import reach_domain
from chalicelib.domain.aws.stacks import Stack
from chalicelib.domain.evidence.stack import SettingsEvidence
from chalicelib.domain.words import counted
from chalicelib.engine.phase import Definition, Request, Result
from chalicelib.monitoring import apply
from chalicelib.ports import Aws
from chalicelib.stack import inputs, live, look, state
from chalicelib.stack.cursor import SettingsCursor
from chalicelib.stack.recovery import repair
from chalicelib.stack.update import Convergence, Target, converge, in_progress

_UNCHANGED = "Users already have the settings of this release"


def run(request: Request, aws: Aws) -> Result[SettingsEvidence]:
    """One step of the stack's change, then protection and alarms; SKIPPED when users have all of it already.

    Raises what `stack.update` raises.
    """
    stack = look.must_find(request.names.stack, aws)
    text, wanted = inputs.for_users(stack, request, aws)
    reached = converge(Target("apply", text, wanted, request.config.protected), stack, request, aws)
    if reached.waits:
        return in_progress(reached.waits, SettingsEvidence)
    return _finish(reached, wanted.snapshot, request, aws)


def _finish(reached: Convergence, snapshot: str, request: Request, aws: Aws) -> Result[SettingsEvidence]:
    alarms = apply.set_alarms(request.config, reached.stack.outputs["StageName"], request.names, aws)
    evidence = replace(
        _stands(reached.stack, snapshot, request.bundle(aws)),
        changed=reached.differs,
        alarms=alarms,
        repaired=reached.restored or None,
        domain=_domain(reached.stack, request, aws),
    )
    recipients = apply.set_recipients(request.config, request.names, aws)
    redefined = f"redefined {counted(len(alarms), 'alarm')}" if alarms else ""
    parts = [live.described(reached.differs), redefined, *recipients]
    if not any((*parts, *reached.restored)):
        return Result.skipped(_UNCHANGED, evidence)
    done = "; ".join(filter(None, [*parts, *reached.restored, evidence.domain]))
    return Result.done(f"Users have the settings of this release: {done}", evidence)


def _domain(stack: Stack, request: Request, aws: Aws) -> str | None:
    """Whether users reach the proxy through their domain, and which record does that, where somebody else makes it."""
    domain = request.config.domain
    if domain is None:
        return None
    record = "" if domain.hosted_zone_id else f" (its record: CNAME {stack.outputs.get('DomainTarget', '')})"
    return reach_domain.described(domain, aws) + record


def _stands(stack: Stack, snapshot: str, bundle: str) -> SettingsEvidence:
    return SettingsEvidence(changed={}, alarms=(), bundle=bundle, snapshot=snapshot, parameters=dict(stack.parameters))


def unchanged(request: Request, aws: Aws) -> Result[SettingsEvidence] | None:
    """SKIPPED when users have every setting of this release and nothing was deleted underneath; else None."""
    stack = look.must_find(request.names.stack, aws)
    if not state.is_settled(stack.status) or repair.find_losses(stack, request, aws):
        return None
    _, wanted = inputs.for_users(stack, request, aws)
    if live.differing(stack, wanted, request.config.protected):
        return None
    if apply.changed_alarms(request.config, stack.outputs["StageName"], request.names, aws):
        return None
    if any(apply.changed_recipients(request.config, request.names, aws)):
        return None
    return Result.skipped(_UNCHANGED, _stands(stack, wanted.snapshot, request.bundle(aws)))


PHASE = Definition(run, SettingsEvidence, SettingsCursor, unchanged=unchanged)
