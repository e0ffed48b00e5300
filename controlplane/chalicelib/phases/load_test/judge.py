"""The end of a load test: combines all shards into one run, stores its figures, and judges its SLOs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from chalicelib.domain.codec import encode
from chalicelib.domain.errors import PhaseFailed
from chalicelib.domain.evidence.load import LoadEvidence
from chalicelib.engine.phase import Request, Result
from chalicelib.load import plans, shard
from chalicelib.load.histogram import Histogram
from chalicelib.load.report import series
from chalicelib.ports import Aws

from .cursor import LoadCursor
from .figures import evidence_of
from .slo import UNSENT_LIMIT, Figures, SloResult, SloVerdict, judge, passed
from .wording import phrases

_BINARY = "application/octet-stream"


def conclude(
    request: Request, cursor: LoadCursor, version: str, expected_shards: int, aws: Aws
) -> Result[LoadEvidence]:
    """The phase's result. Raises PhaseFailed: LoadIncomplete, LoadInvalid or SloMissed."""
    summary = _combine(request, expected_shards, aws)
    baseline, compared_with = _baseline(request, aws)
    results = judge(_figures(summary, request, cursor), request.options.slo, baseline, request.seed)
    evidence = evidence_of(summary, results, cursor, request, version, compared_with)
    series_key = f"{plans.prefix(request.deployment_id)}series.json"
    aws.artifacts.put(series_key, json.dumps(series(summary)).encode(), content_type="application/json")
    _refuse(summary, results, evidence)
    aws.artifacts.put(_baseline_key(request, version), shard.encode_seconds(summary), content_type=_BINARY)
    rate = f"{request.options.load.rps:g} requests a second"
    return Result.done(f"Version {version} meets its SLOs at {rate}: {phrases(results)}", evidence)


def _combine(request: Request, expected_shards: int, aws: Aws) -> shard.Summary:
    prefix = plans.prefix(request.deployment_id)
    keys = [key for key in aws.artifacts.keys(prefix) if key.startswith(f"{prefix}shard-")]
    if len(keys) < expected_shards:
        raise PhaseFailed(
            f"{expected_shards - len(keys)} of {expected_shards} shards are missing",
            code="LoadIncomplete",
            remedy="Look at the log of LoadWorker; Lambda's concurrency may be too low for options.load.workers.",
        )
    # One shard at a time: a thousand together would not fit into memory.
    return shard.combine(aws.artifacts.get(key) for key in keys)


def _refuse(summary: shard.Summary, results: Sequence[SloResult], evidence: LoadEvidence) -> None:
    if summary.unsent_share > UNSENT_LIMIT:
        raise PhaseFailed(
            f"INVALID: {summary.unsent} of {summary.due} requests could not be sent in time by the generator",
            code="LoadInvalid",
            remedy="Raise options.load.workers, or lower options.load.rps.",
            evidence=encode(evidence),
        )
    if not passed(results):
        missed = [result for result in results if result.verdict is not SloVerdict.PASSED]
        raise PhaseFailed(
            f"version {evidence.version} missed its SLOs: {phrases(missed)}",
            code="SloMissed",
            remedy="The evidence splits the latency into gateway, proxy and upstream; options.slo sets the limits.",
            evidence=encode(evidence),
        )


def _figures(summary: shard.Summary, request: Request, cursor: LoadCursor) -> Figures:
    starts = None if cursor.cold_starts is None else cursor.cold_starts.durations_ms
    duration_s = request.options.load.duration_s
    return Figures(summary.good, summary.failed, duration_s, summary.response, summary.by_second, starts)


def _baseline_key(request: Request, version: str) -> str:
    return f"{request.names.baselines_prefix}{version}"


def _baseline(request: Request, aws: Aws) -> tuple[Mapping[int, Histogram] | None, str]:
    """The last good version's run by second, and its name; None when there is nothing to compare with."""
    good = request.environment.last_good
    if good is None:
        return None, "nothing: there is no good version yet"
    key = _baseline_key(request, good.version)
    if not aws.artifacts.exists(key):
        return None, f"nothing: version {good.version} has no stored figures"
    return shard.decode_seconds(aws.artifacts.get(key)), f"version {good.version}"
