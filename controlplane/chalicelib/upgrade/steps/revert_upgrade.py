"""Ends an upgrade that failed or was stopped: back to what served before, or forward when the release had passed.

Either version can run it: the one that began the upgrade, in the same execution, or the one that serves when the
sweeper ends an execution that died. What the plan recorded is all it needs.
"""

from __future__ import annotations

from dataclasses import replace

from chalicelib.engine.phase import Definition, Request, Result
from chalicelib.ports import Aws
from chalicelib.upgrade import apply
from chalicelib.upgrade.evidence import PlanUpgradeEvidence, RevertUpgradeEvidence, VerifyUpgradeEvidence
from chalicelib.upgrade.formats.invoke_migration import migrate_with
from chalicelib.upgrade.versions import LIVE

from .plan_upgrade import FINISHED, before


def run(request: Request, aws: Aws) -> Result[RevertUpgradeEvidence]:
    """Raises PhaseFailed when the stack cannot be brought back, as `apply.bring` does."""
    plan = request.results.find(PlanUpgradeEvidence)
    if request.results.find(VerifyUpgradeEvidence):
        evidence = RevertUpgradeEvidence(kept=True)
        return replace(
            Result.done("The release had passed before the end was on record; it stays", evidence), next=FINISHED
        )
    if plan is None or not plan.template_before:
        return Result.skipped("Nothing to take back: the stack was not touched", RevertUpgradeEvidence())
    settled = apply.settled(request, aws)
    if isinstance(settled, Result):
        return settled
    if apply.is_foreign(settled, before(plan).parameters, *before(plan).follows):
        release = settled.parameters.get("Release", "none")
        return Result.skipped(f"Somebody has installed release {release} meanwhile; it stays", RevertUpgradeEvidence())
    untouched = request.is_first_call and apply.is_at(settled, before(plan).parameters)
    progress = migrate_with(LIVE, plan.table_format_before, aws)
    if not progress.done:
        return Result.in_progress(
            "The table gets its format back", poll_after_s=1, cursor=request.cursor_as(apply.ApplyCursor)
        )
    stack = apply.bring(before(plan), request, aws)
    if isinstance(stack, Result):
        return stack
    if untouched:
        return Result.skipped("What served before serves still", RevertUpgradeEvidence(stack.status))
    version = plan.version_before or "before"
    return Result.done(f"Version {version} serves again", RevertUpgradeEvidence(stack.status, reverted=True))


PHASE = Definition(run, RevertUpgradeEvidence, apply.ApplyCursor)
