"""Says what a deployment would do and changes nothing: which phases would run, and with what effect.

Runs for `action: plan`, and before a deploy with `options.expected_plan`, which is refused unless the plan is still the
approved one. CloudFormation plans with a change set that is created, read and deleted, never executed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from chalicelib.domain.errors import PhaseFailed
from chalicelib.domain.evidence.plan import PlanEvidence, PlanLine
from chalicelib.engine.phase import Definition, Plan, Request, Result, Results
from chalicelib.ports import Aws

from . import look, plan, settings

_PATIENCE_S = 600


@dataclass(frozen=True, slots=True)
class PlanCursor:
    """change_set_requested: whether this deployment has created its change set."""

    change_set_requested: bool = False


def run(request: Request, aws: Aws) -> Result[PlanEvidence]:
    """The plan, from the phases' fingerprints (`request.plan`) and from facts in the account.

    Raises PhaseFailed: PlanTimeout after ten minutes, PlanChanged when the plan is not `options.expected_plan`.
    """
    informed = _with_applied(request)
    requested = request.cursor_as(PlanCursor).change_set_requested
    change_set = look.change_set(informed, aws, requested=requested)
    if change_set is not None and change_set.status in ("CREATE_PENDING", "CREATE_IN_PROGRESS"):
        return _wait(request)
    lines = plan.lines(request.plan, look.details(change_set, informed, aws))
    fields = settings.changes(request.config, request.environment.last_good)
    evidence = PlanEvidence(lines, plan.text(lines, fields), plan.digest(lines, fields), fields)
    _refuse_another_plan(evidence, request)
    return Result.done(_summary(lines), evidence)


def _with_applied(request: Request) -> Request:
    """With the evidence of earlier deployments, since the phases of this one have not run."""
    applied = {name: applied.evidence for name, applied in request.environment.applied.items()}
    return replace(request, results=Results({**applied, **request.results.recorded}))


def _wait(request: Request) -> Result[PlanEvidence]:
    if request.elapsed_s > _PATIENCE_S:
        raise PhaseFailed(
            f"CloudFormation has not planned the change set within {_PATIENCE_S // 60} minutes",
            code="PlanTimeout",
            remedy="Plan again later.",
        )
    summary = "CloudFormation is working out what would change"
    return request.wait(summary, step="change set", cursor=PlanCursor(change_set_requested=True))


def _refuse_another_plan(evidence: PlanEvidence, request: Request) -> None:
    expected = request.options.expected_plan
    if expected and expected != evidence.digest:
        raise PhaseFailed(
            f"the plan is {evidence.digest} now, and {expected} was approved",
            code="PlanChanged",
            field="options.expected_plan",
            remedy='Look at the new plan (POST /deployments with action "plan") and approve that.',
            evidence=replace(evidence, text=""),
        )


def _summary(lines: Sequence[PlanLine]) -> str:
    changing = [line.phase for line in lines if line.would != "skip"]
    return f"Would run {', '.join(changing)}" if changing else "No change: the environment already runs this release"


PHASE = Definition(run, PlanEvidence, PlanCursor, plan=Plan.AHEAD)
