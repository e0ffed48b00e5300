"""Publishes the candidate: new versions of every function behind the alias `candidate`; nobody's calls reach them."""

from __future__ import annotations

from chalicelib.domain.errors import PhaseFailed
from chalicelib.domain.words import counted
from chalicelib.engine.phase import Definition, Request, Result
from chalicelib.ports import Aws
from chalicelib.upgrade import apply, look
from chalicelib.upgrade.evidence import PlanUpgradeEvidence, StageUpgradeEvidence
from chalicelib.upgrade.versions import CANDIDATE

from .plan_upgrade import staged


def run(request: Request, aws: Aws) -> Result[StageUpgradeEvidence]:
    """The stack with the candidate beside what serves.

    Raises PhaseFailed (CandidateDiffers) when a version has other code than the release says, and what `apply.bring`
    raises.
    """
    plan = request.results.of(PlanUpgradeEvidence)
    stack = apply.bring(staged(plan), request, aws)
    if isinstance(stack, Result):
        return stack
    wanted = look.code_of(plan, aws)
    names = look.functions(aws)
    differing = [
        logical_id
        for logical_id, function in names.items()
        if logical_id in wanted and aws.functions.config(function, CANDIDATE).code_sha256 != wanted[logical_id]
    ]
    if differing:
        raise PhaseFailed(
            f"the candidate of {', '.join(sorted(differing))} has other code than the release",
            code="CandidateDiffers",
            remedy="Somebody changed the functions, or objects in the bucket, during the upgrade. Upgrade again.",
        )
    evidence = StageUpgradeEvidence(stack.status, len(wanted))
    return Result.done(f"{counted(len(wanted), 'function')} have a candidate with the release's code", evidence)


PHASE = Definition(run, StageUpgradeEvidence, apply.ApplyCursor)
