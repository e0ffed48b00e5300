"""Makes the release serve: aliases `live`, state machines and the API change in one CloudFormation update.

Executions that run keep the versions that their definition names. A table that an older release could not read gets
that release's format first, by this version, which knows both.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from chalicelib.engine.phase import Definition, Request, Result
from chalicelib.ports import Aws
from chalicelib.upgrade import apply, look
from chalicelib.upgrade.evidence import PlanUpgradeEvidence, PromoteUpgradeEvidence
from chalicelib.upgrade.formats import table_format
from chalicelib.upgrade.formats.migrate import Task, migrate

from .plan_upgrade import promoted


@dataclass(frozen=True, slots=True)
class PromoteCursor(apply.ApplyCursor):
    """migrated: items given an older shape so far."""

    migrated: int = 0


def run(request: Request, aws: Aws) -> Result[PromoteUpgradeEvidence]:
    """The stack with the release serving. Raises PhaseFailed as `apply.bring` does."""
    plan, cursor = request.results.of(PlanUpgradeEvidence), request.cursor_as(PromoteCursor)
    if not cursor.change_set:
        look.refuse_removals(plan, aws)
    if plan.table_format < table_format.FORMAT and not cursor.change_set:
        progress = migrate(Task(plan.table_format), aws)
        if not progress.done:
            cursor = replace(cursor, migrated=cursor.migrated + progress.changed)
            return Result.in_progress("The table gets the older format", poll_after_s=1, cursor=cursor)
        request = replace(request, cursor={**request.cursor, "migrated": cursor.migrated + progress.changed})
    migrated = request.cursor_as(PromoteCursor).migrated
    stack = apply.bring(promoted(plan), request, aws)
    if isinstance(stack, Result):
        return replace(stack, cursor=_cursor(stack.cursor, migrated))
    return Result.done(f"Version {plan.version} serves", PromoteUpgradeEvidence(stack.status, migrated))


def _cursor(of_stack: object, migrated: int) -> PromoteCursor:
    """The cursor of the stack's change, with the count of items beside it."""
    own = of_stack if isinstance(of_stack, apply.ApplyCursor) else apply.ApplyCursor()
    return PromoteCursor(own.change_set, own.since, own.executed, own.rollbacks, migrated)


PHASE = Definition(run, PromoteUpgradeEvidence, PromoteCursor)
