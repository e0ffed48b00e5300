"""Phase 9: an open-model load against the release, judged by its SLOs from merged histograms.

Each call does one step and notes it in the cursor: a slice of the load (driven here, or by workers under a Map), the
forced cold starts, or one memory size. The last call combines all shards and judges them. A slice after which the
candidate is worse than live with confidence is the last.
"""

from __future__ import annotations

from dataclasses import replace

from chalicelib.checks.comparison.reach_live import reach_live
from chalicelib.checks.load_plan import CHAT, HEALTH, arrivals_of, plan_of, soon
from chalicelib.checks.target import Target, felt_throttle, locate, release_fingerprint
from chalicelib.domain.evidence.load import LoadEvidence, SizeRow
from chalicelib.domain.options import Load
from chalicelib.engine.phase import Definition, Request, Result, Status
from chalicelib.load import fit, plans
from chalicelib.load.drive import drive, store
from chalicelib.load.plans import Beside
from chalicelib.load.request import chat
from chalicelib.ports import Aws

from . import measure, tuning
from .baseline import beside
from .cost import TUNE_COLD, TUNE_WARM, guard
from .cursor import ColdStarts, LoadCursor
from .judge import conclude, stops
from .slices import Slice, ahead_s, slices_of


def fingerprint(request: Request, aws: Aws) -> str:
    """The release, the load and the SLOs, and the throttle where it is low enough for the load to feel it."""
    options = request.options
    felt = felt_throttle(request, options.load.rps)
    return release_fingerprint(request, felt, options.load, options.slo, options.tune_memory)


def run(request: Request, aws: Aws) -> Result[LoadEvidence]:
    """Do the next step.

    Raises BadRequest when the load would cost too much, PhaseFailed: NothingToTest, MeasurementFailed, UpdateTooSlow,
    LoadIncomplete, LoadInvalid, SloMissed, CanaryWorse.
    """
    cursor = request.cursor_as(LoadCursor)
    if cursor.load is None:
        cursor = _fitted(cursor, request.options.load, aws)
    request = replace(request, options=replace(request.options, load=cursor.load or request.options.load))
    is_first = cursor.estimated_usd is None
    if is_first:
        cursor = replace(cursor, estimated_usd=round(_guard_cost(request, aws), 4))
    target = locate(request, aws)
    if is_first:
        cursor = _against(cursor, request, target, aws)
    load, slices = request.options.load, slices_of(request.options.load)
    if cursor.slices_done < len(slices):
        result = _drive(slices[cursor.slices_done], request, target, cursor.beside, aws)
        cursor = replace(cursor, slices_done=cursor.slices_done + 1)
        if result.fan_out or (cursor.slices_done < len(slices) and not stops(request, cursor, aws)):
            return replace(result, cursor=cursor)
    # A revalidation must not change the live function.
    if request.action.deploys:
        if cursor.cold_starts is None and load.cold_starts:
            cursor = replace(cursor, cold_starts=_force_cold_starts(request, aws))
        sizes = request.options.tune_memory
        if len(cursor.sizes) < len(sizes):
            size = _measure_size(sizes[len(cursor.sizes)], request, target, aws)
            cursor = replace(cursor, sizes=(*cursor.sizes, size))
            if len(cursor.sizes) < len(sizes):
                return Result.in_progress(f"Measured {size.memory_mb} MB", poll_after_s=1, cursor=cursor)
    return conclude(request, cursor, target.version, cursor.slices_done * load.workers, aws)


def _fitted(cursor: LoadCursor, load: Load, aws: Aws) -> LoadCursor:
    """The cursor with the load that the account bears."""
    unreserved = aws.functions.limits().unreserved
    fitted = fit.fitted(load, unreserved)
    return replace(cursor, load=fitted, scaled_down=fit.described(load, fitted, unreserved))


def _against(cursor: LoadCursor, request: Request, target: Target, aws: Aws) -> LoadCursor:
    """The cursor with the baseline: how live is driven, if it is."""
    live = aws.functions.aliases(request.names.function)["live"].version if request.environment.last_good else ""
    load, unreserved = request.options.load, aws.functions.limits().unreserved
    wants_live = load.baseline == "live" and live not in ("", target.version)
    url = reach_live(target.url, live, aws) if wants_live else ""
    driven, compared_with = beside(load, request.config, target, live, url, unreserved)
    return replace(cursor, beside=driven, compared_with=compared_with)


def _guard_cost(request: Request, aws: Aws) -> float:
    """The estimated cost (USD). Raises BadRequest when it is above the limit."""
    sides = 2 if request.options.load.baseline == "live" and request.environment.last_good else 1
    requests = sides * arrivals_of(request.options.load).expected
    return guard(request.config, request.options, requests, tokens_are_free=bool(aws.settings.upstream_faults_url))


def _drive(part: Slice, request: Request, target: Target, live: Beside | None, aws: Aws) -> Result[LoadEvidence]:
    """Drive a slice, or have the state machine start workers that drive it."""
    workers = request.options.load.workers
    start, prefix = soon(request.now, ahead_s(workers)), plans.prefix(request.deployment_id)
    plan = plan_of(request.options.load, target, live, part.window, start, request.seed)
    if workers > 1:
        text = plans.dump(plan, part.number, prefix, request.config.target)
        aws.artifacts.put(plans.key(request.deployment_id), text, content_type="application/json")
        summary = f"{workers} workers drive slice {part.number + 1}"
        return Result(Status.IN_PROGRESS, summary, poll_after_s=1, fan_out=workers)
    store(drive(plan, request.deployment_id, aws), prefix, part.number, 0, aws)
    return Result.in_progress(f"Drove slice {part.number + 1} of the load", poll_after_s=1)


def _force_cold_starts(request: Request, aws: Aws) -> ColdStarts:
    with measure.temporary_version(request, aws, request.config.memory_mb) as version:
        reports = version.call_cold(request.options.load.cold_starts, measure.event("GET", HEALTH))
    return tuning.cold_starts(reports)


def _measure_size(memory_mb: int, request: Request, target: Target, aws: Aws) -> SizeRow:
    event = measure.event("POST", CHAT, chat(str(target.variables["chat_model"])))
    with measure.temporary_version(request, aws, memory_mb) as version:
        cold = version.call_cold(TUNE_COLD, measure.event("GET", HEALTH))
        return tuning.measured(memory_mb, cold, version.call_warm(TUNE_WARM, event))


PHASE = Definition(run, LoadEvidence, LoadCursor, fingerprint)
