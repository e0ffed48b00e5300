"""A load test's summary and verdicts as the phase's evidence."""

from __future__ import annotations

from collections.abc import Sequence

from chalicelib.domain.evidence.load import LoadEvidence
from chalicelib.engine.phase import Request
from chalicelib.load import plans
from chalicelib.load.report import percentiles
from chalicelib.load.shard import Summary

from .cursor import ColdStarts, LoadCursor
from .slo import UNSENT_LIMIT, SloResult, passed
from .tuning import recommend


def evidence_of(
    summary: Summary,
    results: Sequence[SloResult],
    cursor: LoadCursor,
    request: Request,
    version: str,
    compared_with: str,
) -> LoadEvidence:
    """Everything that the run measured. version: under test; compared_with: the run behind the slowdown."""
    cold = cursor.cold_starts
    duration_s = request.options.load.duration_s
    return LoadEvidence(
        version=version,
        verdict=_verdict(summary, results),
        slos=tuple(result.as_row() for result in results),
        due=summary.due,
        sent=summary.sent,
        good=summary.good,
        unsent=summary.unsent,
        errors=dict(summary.errors),
        rps=round(summary.good / duration_s, 2) if duration_s else 0.0,
        response_ms=percentiles(summary.response),
        service_ms=percentiles(summary.service),
        first_byte_ms=percentiles(summary.first_byte),
        generator_late_ms=percentiles(summary.pacing),
        split_ms={name: percentiles(histogram) for name, histogram in summary.parts.items()},
        workers=summary.workers,
        start_skew_ms=round(summary.start_skew_ms, 1),
        connections=summary.connections,
        stream_events_per_s=_stream_events_per_s(summary),
        cold_starts_ms=None if cold is None else cold.durations_ms,
        cold_starts_from=None if cold is None else cold.sources,
        max_memory_mb=(cold or ColdStarts()).max_memory_mb,
        compared_with=compared_with,
        estimated_usd=cursor.estimated_usd,
        scaled_down=cursor.scaled_down,
        shards=plans.prefix(request.deployment_id),
        tuning=recommend(cursor.sizes, request.options.slo) if cursor.sizes else None,
    )


def _verdict(summary: Summary, results: Sequence[SloResult]) -> str:
    if summary.unsent_share > UNSENT_LIMIT:
        return "INVALID"
    return "PASSED" if passed(results) else "FAILED"


def _stream_events_per_s(summary: Summary) -> float | None:
    if not summary.events or not summary.streamed_s:
        return None
    return round(summary.events / summary.streamed_s, 1)
