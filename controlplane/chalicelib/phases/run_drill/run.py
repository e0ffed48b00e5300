"""Drills the whole control plane on an environment of its own: roll it, break it, update it, remove it, with proof.

Each part is a deployment like any other, with a record of its own; this step starts one, waits for its end, judges it
(`judge`) and goes on. Whatever went wrong, the environment is removed before the drill says so.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from chalicelib.domain import drills
from chalicelib.domain.errors import Conflict, NotFound, PhaseFailed
from chalicelib.domain.model import Deployment, Environment
from chalicelib.domain.names import Names
from chalicelib.engine.phase import Definition, Request, Result
from chalicelib.engine.polling import next_poll_s
from chalicelib.ports import Aws

from .judge import PartEnd, following, problem

_PATIENCE_S = 2 * 60 * 60


def run(request: Request, aws: Aws) -> Result:
    part = str(request.cursor.get("part", drills.PARTS[0]))
    name = drills.ephemeral_environment(request.deployment_id)
    done: list[Mapping[str, Any]] = list(request.cursor.get("done", []))
    child = _child(part, name, request, aws)
    if child is None or not child.status.is_final:
        return _wait(part, name, child, done, request)
    seen = _seen(part, name, child, str(request.cursor.get("live", "")), aws)
    why = problem(part, seen)
    done.append(_told(part, child, why))
    next_part = following(part, why)
    if next_part:
        return Result.in_progress(
            f"{part} ended {child.status.value}; next: {next_part}",
            poll_after_s=1,
            cursor={"part": next_part, "done": done, "live": seen.live},
            environment=name,
            parts=done,
        )
    return _concluded(name, done)


def _child(part: str, name: str, request: Request, aws: Aws) -> Deployment | None:
    """The deployment of this part, started if it is not yet; None while the one before still lets go of its lock."""
    known = request.cursor.get("child")
    if known:
        return aws.records.deployment(str(known))
    template = aws.records.environment(str(request.options.drill_of))
    given = drills.body(part, name, *_of_template(template), dataclasses.asdict(request.options))
    try:
        return aws.rollouts.begin(given, caller=drills.CALLER, key=drills.key(request.deployment_id, part))
    except Conflict as busy:
        if busy.code != "EnvironmentBusy":
            raise
        return None


def _of_template(template: Environment) -> tuple[Mapping[str, Any], str]:
    """Configuration and secret. The secret is named, never copied: one key, in one place."""
    applied = template.applied.get("prepare_secret")
    if template.live is None or applied is None:
        raise PhaseFailed(
            f"environment {template.name} serves no release that a drill could copy",
            code="NoTemplate",
            field="environment",
            remedy="Name an environment that is live.",
        )
    return template.live.config, str(applied.evidence["arn"])


def _wait(
    part: str, name: str, child: Deployment | None, done: Sequence[Mapping[str, Any]], request: Request
) -> Result:
    asked = int(request.cursor.get("asked", 0))
    if request.elapsed_s > _PATIENCE_S:
        raise PhaseFailed(
            f"part {part} of the drill has not ended within {_PATIENCE_S // 3600} hours",
            code="DrillTimeout",
            remedy=f"See deployment {child.id if child else '?'}; the sweeper removes {name} when its time is over.",
            evidence={"environment": name, "parts": list(done)},
        )
    where = f", in {child.current_phase}" if child and child.current_phase else ""
    return Result.in_progress(
        f"{part} of {name} is {child.status.value if child else 'about to start'}{where}",
        poll_after_s=next_poll_s(asked),
        cursor={**request.cursor, "part": part, "asked": asked + 1, **({"child": child.id} if child else {})},
        environment=name,
        parts=list(done),
    )


def _seen(part: str, name: str, child: Deployment, before: str, aws: Aws) -> PartEnd:
    recorded = {phase.name: phase for phase in aws.records.phases(child.id)}
    environment = aws.records.environment(name)
    left = recorded["clean_up"].evidence.get("left") if "clean_up" in recorded else None
    return PartEnd(
        status=child.status.value,
        phases={phase.name: phase.status.value for phase in recorded.values() if phase.number},
        live=environment.live.version if environment.live else "",
        alias=_alias(name, aws) if part != "cleanup" else "",
        before=before,
        left=None if left is None else len(left),
    )


def _alias(name: str, aws: Aws) -> str:
    """The version that has all of the users' traffic; "" when there is none."""
    try:
        live = aws.functions.aliases(Names(name).function).get("live")
    except NotFound:
        return ""
    return live.version if live and not live.weights else ""


def _told(part: str, child: Deployment, why: str) -> dict[str, Any]:
    return {
        "part": part,
        "deployment_id": child.id,
        "status": child.status.value,
        "verdict": "FAILED" if why else "PASSED",
        "why": f"{why} ({child.summary})" if why else child.summary,
    }


def _concluded(name: str, done: Sequence[Mapping[str, Any]]) -> Result:
    wrong = [one for one in done if one["verdict"] == "FAILED"]
    not_run = [part for part in drills.PARTS if part not in [one["part"] for one in done]]
    evidence = {"environment": name, "parts": list(done), "not_run": not_run}
    if wrong:
        raise PhaseFailed(
            "; ".join(f"{one['part']}: {one['why']}" for one in wrong)
            + (f" (NOT RUN: {', '.join(not_run)})" if not_run else ""),
            code="DrillFailed",
            remedy="; ".join(f"GET /deployments/{one['deployment_id']}" for one in wrong),
            evidence=evidence,
        )
    return Result.done(
        f"{name} went through all twelve phases, a broken release was rolled back, an update served, all was removed",
        **evidence,
    )


PHASE = Definition(run, dict)
