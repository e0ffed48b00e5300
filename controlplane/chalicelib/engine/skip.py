"""Whether a phase has anything to do: compares its fingerprint now with the one that it last applied.

The stored fingerprint is deleted before the phase changes anything, so that a phase that dies half-way runs again.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

from chalicelib.domain.codec import encode
from chalicelib.domain.errors import PhaseFailed
from chalicelib.domain.evidence.secret import SecretEvidence
from chalicelib.domain.evidence.stack import StackEvidence
from chalicelib.domain.model import Applied
from chalicelib.domain.times import Clock, stamp
from chalicelib.ports import Aws

from . import registry
from .cached_reads import cache_reads
from .phase import Phase, Plan, Request, Result, Results, Status

Load = Callable[[str], Phase]
# Bytes of JSON. What the phases applied lies in the environment's item, which may have 400 KB; 4 KB are usual.
LARGEST_EVIDENCE = 16 * 1024
# Others read this evidence from the environment. A stack's is bounded by its template, a secret's by its 64 KB.
_WHOLE = frozenset({StackEvidence.PHASE, SecretEvidence.PHASE})


def skip_or_run(name: str, request: Request, aws: Aws, clock: Clock, load: Load) -> Result[object]:
    """The phase's result; SKIPPED, with the evidence of the last run, when the fingerprint is unchanged and
    `options.force` is off."""
    phase = load(name)
    if phase.plan is Plan.SKIP:
        request = replace(request, unchanged=look_ahead(request, aws, load))
    elif phase.plan is not Plan.NONE:
        request = replace(request, plan=plan(request, aws, load, ahead=phase.plan is Plan.AHEAD))
    if phase.fingerprint is None or not request.action.deploys:
        return phase.run(request, aws)
    if request.is_first_call:
        if not request.options.force and _is_unchanged(phase, name, request, cache_reads(aws)):
            return _skipped(request.environment.applied[name])
        aws.records.set_applied(request.environment.name, name, None, holder=request.deployment_id)
    result = phase.run(request, aws)
    if result.status is not Status.IN_PROGRESS:
        evidence = encode(result.evidence)
        if name not in _WHOLE and len(json.dumps(evidence)) > LARGEST_EVIDENCE:
            return result  # nothing is stored, so the phase runs again next time
        informed = replace(request, results=request.results.also(name, evidence))
        applied = Applied(phase.fingerprint(informed, aws), request.deployment_id, stamp(clock()), evidence)
        aws.records.set_applied(request.environment.name, name, applied, holder=request.deployment_id)
    return result


def _skipped(applied: Applied) -> Result[object]:
    since = f"Nothing changed since deployment {applied.deployment_id} ({applied.at[:19]}Z)"
    return Result(Status.SKIPPED, since, applied.evidence)


def _is_unchanged(phase: Phase, name: str, request: Request, aws: Aws) -> bool:
    applied = request.environment.applied.get(name)
    if applied is None or phase.fingerprint is None:
        return False
    informed = replace(request, results=request.results.also(name, applied.evidence))
    return phase.fingerprint(informed, aws) == applied.fingerprint


def look_ahead(request: Request, aws: Aws, load: Load) -> dict[str, Result[object]]:
    """The SKIPPED results of a deploy's phases, in their order, up to the first that has something to do.

    Each is judged as it would be at its turn, with the evidence of those before it. All of them share one set of reads,
    so that a fact in AWS is read once. Empty with `options.force`.
    """
    skipped: dict[str, Result[object]] = {}
    cached = cache_reads(aws)
    order = registry.deploy_order(approval=request.options.approval == "required")
    for name in () if request.options.force else order:
        result = _look(name, request, cached, load)
        if result is None:
            break
        skipped[name] = result
        request = replace(request, results=request.results.also(name, encode(result.evidence)))
    return skipped


def _look(name: str, request: Request, aws: Aws, load: Load) -> Result[object] | None:
    """The phase's SKIPPED result; None when it has something to do, or when the look cannot tell."""
    phase = load(name)
    try:
        if phase.fingerprint is not None:
            return _skipped(request.environment.applied[name]) if _is_unchanged(phase, name, request, aws) else None
        return phase.unchanged(request, aws) if phase.unchanged else None
    except (KeyError, PhaseFailed):
        # What it finds missing or broken is the phase's own to repair or to report.
        return None


def plan(request: Request, aws: Aws, load: Load, *, ahead: bool) -> dict[str, bool]:
    """By phase with a fingerprint: whether it would be skipped now. Covers the phases that ended in this deployment;
    with `ahead`, also those that were ever applied."""
    results = dict(request.results.recorded)
    if ahead:
        results = {name: applied.evidence for name, applied in request.environment.applied.items()} | results
    informed, cached = replace(request, results=Results(results)), cache_reads(aws)
    skipped: dict[str, bool] = {}
    for name in registry.PHASES:
        phase = load(name)
        if phase.fingerprint is not None and name in results:
            try:
                skipped[name] = _is_unchanged(phase, name, informed, cached)
            except (KeyError, PhaseFailed):
                # An earlier phase was never applied, so its evidence is missing.
                skipped[name] = False
    return skipped
