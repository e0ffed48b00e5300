"""Tries the whole control plane on an environment of its own: deploy, break, update and remove it, with proof.

Each part is a deployment like any other, with a record of its own. This step starts it, waits for its end, judges it
(`parts`) and continues. When a part fails, the environment is removed before the drill fails.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from chalicelib.domain import drills
from chalicelib.domain.errors import Conflict, PhaseFailed
from chalicelib.domain.evidence.drill import DrillEvidence, PartResult
from chalicelib.domain.evidence.secret import SecretEvidence
from chalicelib.domain.model import Deployment
from chalicelib.engine.phase import Definition, Request, Result, applied_as
from chalicelib.ports import Aws

from .cursor import DrillCursor
from .look import end_of
from .parts import following, problem

_PATIENCE_S = 2 * 60 * 60


def run(request: Request, aws: Aws) -> Result[DrillEvidence]:
    """Start the part's deployment, or wait for it, or judge it and go to the next part.

    Raises PhaseFailed: NoTemplate, DrillTimeout after two hours, DrillFailed naming each part that failed.
    """
    cursor = request.cursor_as(DrillCursor)
    child = _child(cursor, request, aws)
    if child is None or not child.status.is_final:
        return _wait(cursor, child, request)
    end = end_of(cursor, child, aws)
    why = problem(cursor.part, end)
    done = (*cursor.done, _result(cursor.part, child, why))
    next_part = following(cursor.part, why)
    if not next_part:
        return _conclude(child.environment, done)
    return Result.in_progress(
        f"{cursor.part} ended {child.status.value}; next: {next_part}",
        poll_after_s=1,
        cursor=DrillCursor(next_part, done, end.live),
        evidence=DrillEvidence(child.environment, done),
    )


def _child(cursor: DrillCursor, request: Request, aws: Aws) -> Deployment | None:
    """The deployment of this part, started unless it is; None while the previous one still holds the lock."""
    if cursor.child:
        return aws.records.deployment(cursor.child)
    key = drills.key(request.deployment_id, cursor.part)
    try:
        return aws.rollouts.begin(_body(cursor.part, request, aws), caller=drills.CALLER, key=key)
    except Conflict as busy:
        if busy.code != "EnvironmentBusy":
            raise
        return None


def _body(part: str, request: Request, aws: Aws) -> drills.Body:
    if part == "cleanup":
        return drills.clean_up_of(request.deployment_id)  # needs no template, which may be gone by then
    template, secret_arn = _template(request, aws)
    environment = drills.ephemeral_environment(request.deployment_id)
    return drills.deploy(part, environment, template, secret_arn, dataclasses.asdict(request.options))


def _template(request: Request, aws: Aws) -> tuple[dict[str, object], str]:
    """Configuration and secret of the template. The copy reads the same secret: a key is stored once."""
    template = aws.records.environment(str(request.options.drill_of))
    secret = applied_as(template, SecretEvidence)
    if template.live is None or secret is None:
        raise PhaseFailed(
            f"environment {template.name} serves no release that a drill could copy",
            code="NoTemplate",
            field="environment",
            remedy="Name an environment that is live.",
        )
    return dict(template.live.config), secret.arn


def _wait(cursor: DrillCursor, child: Deployment | None, request: Request) -> Result[DrillEvidence]:
    environment = drills.ephemeral_environment(request.deployment_id)
    evidence = DrillEvidence(environment, cursor.done)
    if request.elapsed_s > _PATIENCE_S:
        raise PhaseFailed(
            f"part {cursor.part} of the drill has not ended within {_PATIENCE_S // 3600} hours",
            code="DrillTimeout",
            remedy=f"See deployment {child.id if child else '?'}; the sweeper removes {environment} when it expires.",
            evidence=evidence,
        )
    state = "about to start" if child is None else child.status.value
    where = f", in {child.current_phase}" if child and child.current_phase else ""
    return request.wait(
        f"{cursor.part} of {environment} is {state}{where}",
        step=cursor.part,
        cursor=dataclasses.replace(cursor, child=child.id if child else ""),
        evidence=evidence,
    )


def _result(part: str, child: Deployment, why: str) -> PartResult:
    return PartResult(
        part=part,
        deployment_id=child.id,
        status=child.status.value,
        verdict="FAILED" if why else "PASSED",
        why=f"{why} ({child.summary})" if why else child.summary,
    )


def _conclude(environment: str, done: Sequence[PartResult]) -> Result[DrillEvidence]:
    failed = [result for result in done if result.verdict == "FAILED"]
    parts = [result.part for result in done]
    evidence = DrillEvidence(environment, tuple(done), tuple(part for part in drills.PARTS if part not in parts))
    if not failed:
        summary = f"{environment} went through all twelve phases, rolled back a broken release, served an update"
        return Result.done(f"{summary} and was removed", evidence)
    not_run = f" (NOT RUN: {', '.join(evidence.not_run)})" if evidence.not_run else ""
    raise PhaseFailed(
        "; ".join(f"{result.part}: {result.why}" for result in failed) + not_run,
        code="DrillFailed",
        remedy="; ".join(f"GET /deployments/{result.deployment_id}" for result in failed),
        evidence=evidence,
    )


PHASE = Definition(run, DrillEvidence, DrillCursor)
