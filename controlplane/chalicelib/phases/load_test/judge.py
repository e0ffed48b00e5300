"""The end of a load test: all shards as one run, its figures kept, its SLOs judged."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from chalicelib.domain.errors import PhaseFailed
from chalicelib.domain.names import Names
from chalicelib.engine.phase import Request, Result
from chalicelib.load import plans, shard
from chalicelib.load.histogram import Histogram
from chalicelib.load.report import figures_of, series
from chalicelib.ports import Aws

from .slo import UNSENT_LIMIT, Figures, Judged, Judgement, judge, passed

_BINARY = "application/octet-stream"


def conclude(request: Request, version: str, expected_shards: int, aws: Aws) -> Result:
    """The phase's result. Raises PhaseFailed: LoadIncomplete, LoadInvalid or SloMissed."""
    prefix = plans.prefix(request.deployment_id)
    keys = [key for key in aws.artifacts.keys(prefix) if key.startswith(f"{prefix}shard-")]
    cold = request.cursor.get("cold")
    if len(keys) < expected_shards:
        raise PhaseFailed(
            f"{expected_shards - len(keys)} of {expected_shards} workers handed over nothing",
            code="LoadIncomplete",
            remedy="Look at the log of LoadWorker; Lambda's concurrency may be too low for options.load.workers.",
        )
    # One at a time: a thousand shards together would not fit.
    summary = shard.combine(aws.artifacts.get(key) for key in keys)
    baseline, against = _baseline(request, aws)
    judged = judge(_figures(summary, request, cold), request.options.slo, baseline, request.seed)
    evidence = _evidence(request, version, summary, judged, against)
    aws.artifacts.put(f"{prefix}series.json", json.dumps(series(summary)).encode(), content_type="application/json")
    if summary.unsent_share > UNSENT_LIMIT:
        raise PhaseFailed(
            f"INVALID: {summary.unsent} of {summary.due} requests could not be sent in time by the generator",
            code="LoadInvalid",
            remedy="Raise options.load.workers, or lower options.load.rps.",
            evidence=evidence,
        )
    if not passed(judged):
        raise PhaseFailed(
            f"version {version} missed its SLOs: {_told(judged, lacking=True)}",
            code="SloMissed",
            remedy="The evidence splits the latency into gateway, proxy and upstream; options.slo sets the bounds.",
            evidence=evidence,
        )
    aws.artifacts.put(_baseline_key(request, version), shard.seconds_of(summary), content_type=_BINARY)
    rate = f"{request.options.load.rps:g} requests a second"
    return Result.done(f"Version {version} meets its SLOs at {rate}: {_told(judged)}", **evidence)


def _figures(summary: shard.Summary, request: Request, cold: Mapping[str, Any] | None) -> Figures:
    starts: Sequence[float] | None = None if cold is None else cold["cold_starts_ms"]
    duration_s = request.options.load.duration_s
    return Figures(summary.good, summary.failed, duration_s, summary.response, summary.by_second, starts)


def _evidence(
    request: Request, version: str, summary: shard.Summary, judged: Sequence[Judged], against: str
) -> dict[str, Any]:
    told = {
        "version": version,
        "verdict": "INVALID" if summary.unsent_share > UNSENT_LIMIT else "PASSED" if passed(judged) else "FAILED",
        "slos": [one.as_evidence() for one in judged],
        **figures_of(summary, request.options.load.duration_s),
        **request.cursor.get("cold", {}),
        "compared_with": against,
        "estimated_usd": request.cursor.get("usd"),
        "shards": plans.prefix(request.deployment_id),
    }
    tuned = request.cursor.get("tuned")
    return {**told, "tuning": tuned} if tuned else told


def _baseline_key(request: Request, version: str) -> str:
    return f"{Names(request.environment.name).baselines_prefix}{version}"


def _baseline(request: Request, aws: Aws) -> tuple[Mapping[int, Histogram] | None, str]:
    """The seconds of the last good version's run, and how to call it; None when there is nothing to compare with."""
    good = request.environment.last_good
    if good is None:
        return None, "nothing: no version was good before"
    key = _baseline_key(request, good.version)
    if not aws.artifacts.exists(key):
        return None, f"nothing: version {good.version} left no figures"
    return shard.read_seconds(aws.artifacts.get(key)), f"version {good.version}"


def _told(judged: Sequence[Judged], *, lacking: bool = False) -> str:
    return "; ".join(str(one) for one in judged if not lacking or one.judgement is not Judgement.PASSED)
