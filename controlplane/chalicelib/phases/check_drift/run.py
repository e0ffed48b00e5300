"""Holds an environment against its record: stack, alias, settings, secret and alarms (core/drift.py says what counts).

Changes nothing unless `options.heal` asks for it; then it puts back what it safely can, looks again, and says what it
could not put back. CloudFormation searches by itself, so the first calls only wait for it.
"""

from __future__ import annotations

from collections.abc import Sequence

from chalicelib.domain.errors import PhaseFailed
from chalicelib.domain.names import Names
from chalicelib.engine.phase import Definition, Request, Result
from chalicelib.engine.polling import next_poll_s
from chalicelib.ports import Aws

from . import drift, look
from .drift import Finding

_PATIENCE_S = 10 * 60


def run(request: Request, aws: Aws) -> Result:
    live = request.environment.live
    if live is None:
        return Result.skipped("The environment serves no release, so that there is nothing to hold it against")
    found = _of_stack(request, aws)
    if isinstance(found, Result):
        return found
    found = [*found, *look.look(request, live, aws)]
    done: list[str] = []
    if request.options.heal and any(one.heals for one in found):
        done = look.heal(found, request, live, aws)
        # What was put back must be seen to be back: only what is found again still counts.
        found = [*[one for one in found if one.kind == "stack"], *look.look(request, live, aws)]
    return _concluded(found, done, request)


def _of_stack(request: Request, aws: Aws) -> list[Finding] | Result:
    """What CloudFormation found; a Result while it still searches."""
    name = Names(request.environment.name).stack
    stack = aws.stacks.find(name)
    if stack is None or stack.status not in drift.DETECTABLE:
        return [drift.not_at_rest(name, stack.status if stack else None)]
    asked = int(request.cursor.get("asked", 0))
    detection_id = str(request.cursor.get("detection_id") or aws.stacks.detect_drift(name))
    detection = aws.stacks.detection(detection_id)
    if detection.status == "DETECTION_IN_PROGRESS":
        if request.elapsed_s > _PATIENCE_S:
            return [drift.undetected(name, f"CloudFormation has searched for {request.elapsed_s / 60:.0f} minutes")]
        return Result.in_progress(
            "CloudFormation is looking for drift",
            poll_after_s=next_poll_s(asked),
            cursor={"detection_id": detection_id, "asked": asked + 1},
        )
    found = drift.of_stack(name, aws.stacks.drifts(name))
    if detection.status == "DETECTION_FAILED":
        found.append(drift.undetected(name, detection.reason or "CloudFormation gave no reason"))
    return found


def _concluded(found: Sequence[Finding], done: Sequence[str], request: Request) -> Result:
    drifted = drift.failing(found)
    evidence = {
        "findings": [one.as_evidence() for one in found],
        "healed": list(done),
        "not_healed": [str(one) for one in drifted] if request.options.heal else [],
    }
    healed = f"put back: {', '.join(done)}" if done else ""
    if drifted:
        raise PhaseFailed(
            "; ".join([*([healed] if healed else []), *map(str, drifted)]),
            code="Drift",
            remedy=" | ".join(dict.fromkeys(one.remedy for one in drifted)),
            evidence=evidence,
        )
    known = [str(one) for one in found]
    words = healed or "Stack, alias, settings, secret and alarms are as recorded"
    return Result.done(
        ". ".join([words[0].upper() + words[1:], *([f"To know: {'; '.join(known)}"] * bool(known))]), **evidence
    )


PHASE = Definition(run, dict)
