"""A load test's summary and verdicts as the phase's evidence."""

from __future__ import annotations

from collections.abc import Sequence

from chalicelib.domain.evidence.load import LoadEvidence
from chalicelib.engine.phase import Request, applied_as
from chalicelib.load import plans
from chalicelib.load.histogram import Histogram, add, percentiles
from chalicelib.load.shard import Summary

from .cost import per_million_usd
from .cursor import ColdStarts, LoadCursor
from .slo import UNSENT_LIMIT, Figures, SloResult, passed
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
        own_ms=percentiles(_whole(summary, "total") or _whole(summary, "first_byte") or Histogram()),
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


def figures_of(summary: Summary, request: Request, cursor: LoadCursor) -> Figures:
    """What the SLOs judge. record_*: of the load test that was applied last in this environment."""
    starts = None if cursor.cold_starts is None else cursor.cold_starts.durations_ms
    record = applied_as(request.environment, LoadEvidence) or LoadEvidence()
    return Figures(
        good=summary.good,
        failed=summary.failed,
        duration_s=request.options.load.duration_s,
        response=_whole(summary, "total") or summary.response,
        by_second=summary.by_second,
        cold_starts_ms=starts,
        overhead=_whole(summary, "overhead"),
        first_byte=_whole(summary, "first_byte"),
        usd_per_million=_price(summary, request),
        record_cold_start_ms=max(record.cold_starts_ms or (), default=None),
        record_usd_per_million=record.usd_per_million,
    )


def _whole(summary: Summary, series: str) -> Histogram | None:
    """A series over all seconds; None when it was not measured."""
    by_second = summary.series.get(series)
    return add(by_second.values()) if by_second else None


def _price(summary: Summary, request: Request) -> float | None:
    """USD of a million requests by the typical time in Lambda, which the proxy reports; None where it does not."""
    typical_us = [summary.parts[name].percentile(0.5) for name in ("proxy", "upstream") if name in summary.parts]
    times = [us / 1_000 for us in typical_us if us is not None]
    return per_million_usd(request.config.memory_mb, sum(times)) if times else None


def _verdict(summary: Summary, results: Sequence[SloResult]) -> str:
    if summary.unsent_share > UNSENT_LIMIT:
        return "INVALID"
    return "PASSED" if passed(results) else "FAILED"


def _stream_events_per_s(summary: Summary) -> float | None:
    if not summary.events or not summary.streamed_s:
        return None
    return round(summary.events / summary.streamed_s, 1)
