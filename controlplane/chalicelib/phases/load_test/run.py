"""Phase 9: an open-model load against the release, judged by its SLOs from merged histograms.

A call does one thing and notes it in its cursor: a slice of the load (driven here, or by workers under a Map), the
forced cold starts, one memory size; the last one combines all shards and judges.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from chalicelib.checks.target import Target, locate, release_fingerprint
from chalicelib.domain.model import Action
from chalicelib.engine.phase import Definition, Request, Result, Status
from chalicelib.load import plans, shard
from chalicelib.load.arrivals import Arrivals
from chalicelib.load.plans import Limits, Plan
from chalicelib.load.request import chat
from chalicelib.load.task import drive, shard_key
from chalicelib.ports import Aws

from . import cold_starts, tuning
from .cost import guard
from .judge import conclude
from .slices import Slice, ahead_s, slices_of

CHAT, HEALTH = "/v1/chat/completions", "/health"
_TUNE_COLD, _TUNE_WARM = 2, 20
_BINARY = "application/octet-stream"


def fingerprint(request: Request, aws: Aws) -> str:
    options = request.options
    return release_fingerprint(request, options.load, options.slo, options.tune_memory)


def run(request: Request, aws: Aws) -> Result:
    """Evidence: `slos` (each with bound, figure, interval, verdict), the figures, and the S3 prefix of the shards."""
    cursor = dict(request.cursor)
    if not cursor:
        cursor["usd"] = round(_guarded(request, aws), 4)
    target = locate(request, aws)
    parts, done = slices_of(request.options.load), int(cursor.get("done", 0))
    if done < len(parts):
        result = _load(parts[done], request, target, aws)
        cursor["done"] = done + 1
        if done + 1 < len(parts) or result.fan_out:
            return replace(result, cursor=cursor)
    if "cold" not in cursor and _may_change_the_function(request) and request.options.load.cold_starts:
        cursor["cold"] = _cold(request, target, aws)
    tuned = cursor.get("tuned", [])
    if len(tuned) < len(request.options.tune_memory) and _may_change_the_function(request):
        size = request.options.tune_memory[len(tuned)]
        cursor["tuned"] = [*tuned, _tune(size, request, target, aws)]
        if len(cursor["tuned"]) < len(request.options.tune_memory):
            return Result.in_progress(f"Measured with {size} MB", poll_after_s=1, cursor=cursor)
    if cursor.get("tuned"):
        cursor["tuned"] = _recommended(cursor["tuned"], request)
    shards = len(parts) * request.options.load.workers
    return conclude(replace(request, cursor=cursor), target.version, shards, aws)


def _guarded(request: Request, aws: Aws) -> float:
    """The estimated cost (USD). Raises BadRequest when it is too much."""
    requests = _arrivals(request).expected
    return guard(request.config, request.options, requests, tokens_are_free=bool(aws.settings.upstream_faults_url))


def _may_change_the_function(request: Request) -> bool:
    """A revalidation looks at what is live and leaves no trace."""
    return request.action is Action.DEPLOY


def _arrivals(request: Request) -> Arrivals:
    load = request.options.load
    return Arrivals(load.arrivals, load.rps, load.duration_s, trace=load.trace)


def _load(part: Slice, request: Request, target: Target, aws: Aws) -> Result:
    """Drive a slice, or tell the state machine to have it driven."""
    workers = request.options.load.workers
    plan, prefix = _plan(part, request, target), plans.prefix(request.deployment_id)
    if workers > 1:
        told = plans.dump(plan, part.number, prefix)
        aws.artifacts.put(plans.key(request.deployment_id), told, content_type="application/json")
        return Result(
            Status.IN_PROGRESS, f"{workers} workers drive slice {part.number + 1}", poll_after_s=1, fan_out=workers
        )
    made = drive(plan, request.deployment_id, aws)
    aws.artifacts.put(shard_key(prefix, part.number, 0), made, content_type=_BINARY)
    return Result.in_progress(f"Slice {part.number + 1} of the load driven", poll_after_s=1)


def _plan(part: Slice, request: Request, target: Target) -> Plan:
    load = request.options.load
    is_chat = load.upstream == "real"
    return Plan(
        url=target.url + (CHAT if is_chat else HEALTH),
        method="POST" if is_chat else "GET",
        body=chat(str(target.variables["chat_model"]), stream=load.stream) if is_chat else b"",
        arrivals=_arrivals(request),
        start_at=(request.now + timedelta(seconds=ahead_s(load.workers))).timestamp(),
        signed=target.signed,
        window=part.window,
        stream=load.stream and is_chat,
        workers=load.workers,
        seed=shard.seed_of(request.seed),
        limits=Limits(timeout_s=load.timeout_s),
    )


def _cold(request: Request, target: Target, aws: Aws) -> Mapping[str, Any]:
    with cold_starts.throwaway(request, aws, request.config.memory_mb) as version:
        return cold_starts.starts_of(version.cold(request.options.load.cold_starts, cold_starts.event("GET", HEALTH)))


def _tune(memory_mb: int, request: Request, target: Target, aws: Aws) -> dict[str, Any]:
    asked = cold_starts.event("POST", CHAT, chat(str(target.variables["chat_model"])))
    with cold_starts.throwaway(request, aws, memory_mb) as version:
        cold = version.cold(_TUNE_COLD, cold_starts.event("GET", HEALTH))
        return tuning.measured(memory_mb, cold, version.warm(_TUNE_WARM, asked)).as_evidence()


def _recommended(sizes: list[dict[str, Any]], request: Request) -> dict[str, Any]:
    return tuning.recommend([tuning.Measured(**size) for size in sizes], request.options.slo)


PHASE = Definition(run, dict, fingerprint=fingerprint)
