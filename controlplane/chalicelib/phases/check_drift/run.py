"""Compares an environment with the record of its live release: stack, alias, settings, secret and alarms.

It changes nothing unless `options.heal` is set: then it restores what is safe to restore, and compares again until the
comparison sees it, for up to half a minute. The first calls wait for CloudFormation's drift detection.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from chalicelib.domain.codec import encode
from chalicelib.domain.errors import PhaseFailed
from chalicelib.domain.evidence.drift import DRIFT, DriftEvidence, DriftFinding
from chalicelib.engine.phase import Definition, Request, Result
from chalicelib.ports import Aws

from . import stack_drift
from .heal import heal, to_heal
from .look import look

_TIMEOUT_S = 10 * 60
# AWS's lists may show for seconds what was restored as it was before.
_VISIBLE_S = 30


@dataclass(frozen=True, slots=True)
class DriftCursor:
    """detection_id: of CloudFormation's drift detection, "" before its start. findings: those before anything was
    restored; healed: a line for each thing that was, healed_at_s: when, in seconds since the phase began."""

    detection_id: str = ""
    findings: tuple[DriftFinding, ...] = ()
    healed: tuple[str, ...] = ()
    healed_at_s: float = 0.0


def run(request: Request, aws: Aws) -> Result[DriftEvidence]:
    """IN_PROGRESS while CloudFormation detects drift; SKIPPED without a live release.

    Raises PhaseFailed (Drift) naming each difference that `options.heal` did not restore.
    """
    live = request.environment.live
    if live is None:
        return Result.skipped("The environment has no live release to compare with")
    in_stack = _detect(request, aws)
    if isinstance(in_stack, Result):
        return in_stack
    findings = [*in_stack, *look(request, live, aws)]
    cursor = request.cursor_as(DriftCursor)
    if cursor.healed:
        return _compare_again(findings, cursor, request)
    wanted = to_heal(findings, request.options) if request.options.heal else []
    if not wanted:
        return _conclude(findings, (), (), request)
    healed = heal(wanted, request, live, aws)
    after = replace(cursor, findings=tuple(findings), healed=healed, healed_at_s=request.elapsed_s)
    return _compare_again([*in_stack, *look(request, live, aws)], after, request)


def _compare_again(left: Sequence[DriftFinding], cursor: DriftCursor, request: Request) -> Result[DriftEvidence]:
    """A finding counts as healed only when it is gone."""
    keys = set(map(_key, left))
    gone = tuple(finding for finding in cursor.findings if _key(finding) not in keys)
    remains = any(_key(finding) in keys for finding in to_heal(cursor.findings, request.options))
    if remains and request.elapsed_s - cursor.healed_at_s < _VISIBLE_S:
        return request.wait("Comparing again until AWS shows what was restored", step="restored", cursor=cursor)
    return _conclude(left, cursor.healed, gone, request)


def _key(finding: DriftFinding) -> tuple[str, str]:
    return finding.kind, finding.where


def _detect(request: Request, aws: Aws) -> Sequence[DriftFinding] | Result[DriftEvidence]:
    """The findings about the stack; a Result while CloudFormation still detects."""
    name = request.names.stack
    stack = aws.stacks.find(name)
    if stack is None or stack.status not in stack_drift.DETECTABLE:
        return [stack_drift.wrong_state(name, stack.status if stack else None)]
    before = request.cursor_as(DriftCursor)
    cursor = replace(before, detection_id=before.detection_id or aws.stacks.detect_drift(name))
    detection = aws.stacks.detection(cursor.detection_id)
    if detection.status == "DETECTION_IN_PROGRESS":
        if request.elapsed_s <= _TIMEOUT_S:
            return request.wait("CloudFormation detects the stack's drift", step="drift detection", cursor=cursor)
        minutes = f"{request.elapsed_s / 60:.0f} minutes"
        return [stack_drift.unchecked(name, f"CloudFormation's drift detection has not ended after {minutes}")]
    findings = stack_drift.findings(name, aws.stacks.drifts(name))
    if detection.status == "DETECTION_FAILED":
        findings.append(stack_drift.unchecked(name, detection.reason or "CloudFormation gave no reason"))
    return findings


def _conclude(
    findings: Sequence[DriftFinding], healed: tuple[str, ...], repaired: tuple[DriftFinding, ...], request: Request
) -> Result[DriftEvidence]:
    drift = [finding for finding in findings if finding.severity == DRIFT]
    not_healed = tuple(map(str, drift)) if request.options.heal else ()
    evidence = DriftEvidence(tuple(findings), healed, not_healed, repaired)
    restored = f"Restored: {', '.join(healed)}" if healed else ""
    if drift:
        raise PhaseFailed(
            "; ".join([*([restored] if restored else []), *map(str, drift)]),
            code="Drift",
            remedy=" | ".join(dict.fromkeys(finding.remedy for finding in drift)),
            evidence=encode(evidence),
        )
    summary = restored or "Stack, alias, settings, secret and alarms match the record"
    notes = "; ".join(map(str, findings))
    return Result.done(f"{summary}. Note: {notes}" if notes else summary, evidence)


PHASE = Definition(run, DriftEvidence, DriftCursor)
