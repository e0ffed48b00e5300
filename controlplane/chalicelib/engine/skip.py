"""Whether a phase has anything to do: its fingerprint now against the one that it last applied.

A stored fingerprint is deleted before anything is changed: a phase that dies half-way must run again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from chalicelib.domain.codec import encode
from chalicelib.domain.errors import PhaseFailed
from chalicelib.domain.model import Action, Applied
from chalicelib.domain.times import Clock, stamp
from chalicelib.ports import Aws

from . import registry
from .phase import Phase, Plan, Request, Result, Results, Status

Load = Callable[[str], Phase]


def skip_or_run(name: str, request: Request, aws: Aws, clock: Clock, load: Load) -> Result[object]:
    """The phase's result; SKIPPED with what it had applied when its fingerprint is unchanged and nothing forces it."""
    phase = load(name)
    if phase.plan is not Plan.NONE:
        request = replace(request, plan=plan(request, aws, load, ahead=phase.plan is Plan.AHEAD))
    if phase.fingerprint is None or request.action is not Action.DEPLOY:
        return phase.run(request, aws)
    if request.is_first_call:
        if not request.options.force and _is_unchanged(phase, name, request, aws):
            applied = request.environment.applied[name]
            since = f"Nothing changed since deployment {applied.deployment_id} ({applied.at[:19]}Z)"
            return Result(Status.SKIPPED, since, applied.evidence)
        aws.records.set_applied(request.environment.name, name, None, holder=request.deployment_id)
    result = phase.run(request, aws)
    if result.status is not Status.IN_PROGRESS:
        evidence = encode(result.evidence)
        informed = replace(request, results=Results({**request.results, name: evidence}))
        applied = Applied(phase.fingerprint(informed, aws), request.deployment_id, stamp(clock()), evidence)
        aws.records.set_applied(request.environment.name, name, applied, holder=request.deployment_id)
    return result


def _is_unchanged(phase: Phase, name: str, request: Request, aws: Aws) -> bool:
    applied = request.environment.applied.get(name)
    if applied is None or phase.fingerprint is None:
        return False
    informed = replace(request, results=Results({**request.results, name: applied.evidence}))
    return phase.fingerprint(informed, aws) == applied.fingerprint


def plan(request: Request, aws: Aws, load: Load, *, ahead: bool) -> dict[str, bool]:
    """Whether each phase with a fingerprint would be skipped now, by name: of those that ended in this deployment, or,
    with `ahead`, of all that were ever applied."""
    results = dict(request.results)
    if ahead:
        results = {name: applied.evidence for name, applied in request.environment.applied.items()} | results
    informed = replace(request, results=Results(results))
    skipped: dict[str, bool] = {}
    for name in registry.PHASES:
        phase = load(name)
        if phase.fingerprint is not None and name in results:
            try:
                skipped[name] = _is_unchanged(phase, name, informed, aws)
            except (KeyError, PhaseFailed):
                # A phase before this one was never applied, so its evidence is missing.
                skipped[name] = False
    return skipped
