"""Skips the phases at the beginning of a deploy that have nothing to do, and says with which one the rollout goes on.

Without it every phase would start a Lambda of its own to find that nothing changed. The look is the same as each
phase's own (`engine/skip.py`): fingerprints with what was deleted or changed underneath, read from AWS now. A phase
after the first that has something to do decides at its own turn, since it may depend on what comes before it.
"""

from __future__ import annotations

from chalicelib.domain.codec import encode
from chalicelib.domain.errors import LockLost
from chalicelib.domain.evidence.plan import SkipEvidence
from chalicelib.domain.model import PhaseRecord, PhaseStatus
from chalicelib.domain.times import stamp
from chalicelib.domain.words import counted
from chalicelib.engine import registry
from chalicelib.engine.phase import Definition, Plan, Request, Result, Status
from chalicelib.ports import Aws


def run(request: Request, aws: Aws) -> Result[SkipEvidence]:
    """Record the phases of `request.unchanged` as skipped, all in one write. Raises LockLost."""
    skipped = request.unchanged
    order = registry.deploy_order(approval=request.options.approval == "required")
    following = order[len(skipped)]
    if skipped:
        _record(request, aws)
    outcome = f"Skipped {counted(len(skipped), 'phase')} without changes" if skipped else "No phase can be skipped"
    summary = f"{outcome}; {following} is next"
    return Result(Status.SUCCEEDED, summary, SkipEvidence(tuple(skipped), following), next=following)


def _record(request: Request, aws: Aws) -> None:
    lock = request.environment.lock
    if lock is None:
        raise LockLost(f"deployment {request.deployment_id} no longer holds environment {request.environment.name}")
    at = stamp(request.now)
    records = [
        PhaseRecord(
            registry.number_of(name),
            name,
            PhaseStatus.SKIPPED,
            at,
            at,
            result.summary,
            encode(result.evidence),
        )
        for name, result in request.unchanged.items()
    ]
    aws.records.skip_phases_as(request.environment.name, lock, records)


PHASE = Definition(run, SkipEvidence, plan=Plan.SKIP)
