"""What an earlier deployment of the same release has shown of its errors: only the throttle has changed since."""

from __future__ import annotations

from dataclasses import replace

from chalicelib.checks.fault_checks import THROTTLING
from chalicelib.domain.evidence.checks import ErrorsEvidence
from chalicelib.domain.model import Action
from chalicelib.engine.phase import Request, Result, applied_as


def passed_before(request: Request, release: str) -> ErrorsEvidence | None:
    """The evidence of a deploy of the same release, with the deployment that ran its checks; None when they have to run
    again: for another release, another action than deploy, or with options.force.

    release: digest of what the checks depend on, without the throttle.
    """
    applied = request.environment.applied.get(ErrorsEvidence.PHASE)
    before = applied_as(request.environment, ErrorsEvidence)
    if applied is None or before is None or request.action is not Action.DEPLOY or request.options.force:
        return None
    if before.release != release or before.failed:
        return None
    return replace(before, done_by=before.done_by or applied.deployment_id)


def together(throttling: Result[ErrorsEvidence], before: ErrorsEvidence) -> Result[ErrorsEvidence]:
    """The result of the throttle's check, with the rows of the checks before."""
    now = throttling.evidence or ErrorsEvidence()
    rows = tuple(row for row in before.checks if row.name != THROTTLING)
    evidence = replace(
        before,
        version=now.version,
        passed=now.passed + sum(row.verdict == "PASSED" for row in rows),
        not_run=now.not_run + sum(row.verdict == "NOT RUN" for row in rows),
        checks=(*rows, *now.checks),
    )
    summary = f"{throttling.summary}; deployment {before.done_by} ran the other {len(rows)} on the same release"
    return replace(throttling, evidence=evidence, summary=summary)
