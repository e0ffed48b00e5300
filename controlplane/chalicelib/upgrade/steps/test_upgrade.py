"""Asks the candidate version of every function for its self-test, before anything else calls one."""

from __future__ import annotations

from dataclasses import dataclass

from chalicelib.domain.errors import PhaseFailed
from chalicelib.domain.words import counted
from chalicelib.engine.phase import Definition, Request, Result
from chalicelib.ports import Aws
from chalicelib.upgrade import ask, look
from chalicelib.upgrade.evidence import PlanUpgradeEvidence, TestUpgradeEvidence
from chalicelib.upgrade.versions import CANDIDATE

_BATCH = 8  # functions a call: cold starts of all of them together would outlast the Lambda


@dataclass(frozen=True, slots=True)
class AskedCursor:
    """passed: logical ids of the functions that have answered."""

    passed: tuple[str, ...] = ()


def run(request: Request, aws: Aws) -> Result[TestUpgradeEvidence]:
    """IN_PROGRESS until all have answered. Raises PhaseFailed (CandidateBroken) naming those that failed."""
    plan = request.results.of(PlanUpgradeEvidence)
    passed = request.cursor_as(AskedCursor).passed
    functions = {name: each for name, each in look.functions(aws).items() if name in look.code_of(plan, aws)}
    batch = dict([item for item in sorted(functions.items()) if item[0] not in passed][:_BATCH])
    problems = ask.ask(batch, CANDIDATE, plan.release, aws)
    if problems:
        raise PhaseFailed(
            f"the candidate fails its self-test: {'; '.join(problems)}",
            code="CandidateBroken",
            remedy="The log group /proxyctl/controlplane has the cause. What serves has not changed.",
            evidence=TestUpgradeEvidence(passed),
        )
    passed = (*passed, *batch)
    evidence = TestUpgradeEvidence(passed)
    if len(passed) < len(functions):
        summary = f"{len(passed)} of {counted(len(functions), 'function')} passed"
        return Result.in_progress(summary, poll_after_s=1, cursor=AskedCursor(passed), evidence=evidence)
    return Result.done(f"All {counted(len(passed), 'candidate')} answer as release {plan.release}", evidence)


PHASE = Definition(run, TestUpgradeEvidence, AskedCursor)
