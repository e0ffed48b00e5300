"""Evidence of load_test: how the release behaves under load. Times in milliseconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from .comparison import Compared


@dataclass(frozen=True, slots=True)
class SloRow:
    """One SLO. verdict: `PASSED`, `FAILED` or `INCONCLUSIVE`; bound, figure: in the SLO's unit.

    interval: 95 % confidence interval of the figure (the range of cold starts); its upper end is None when there are
    too few samples for it. why: when the SLO did not pass. samples: how many the figure is of, None for a price. more:
    what would have changed the verdict.
    """

    slo: str = ""
    verdict: str = ""
    bound: float = 0.0
    figure: float | None = None
    interval: tuple[float, float | None] | None = None
    why: str | None = None
    samples: int | None = None
    more: str = ""


@dataclass(frozen=True, slots=True)
class Percentiles:
    """None without samples."""

    p50: float | None = None
    p90: float | None = None
    p99: float | None = None
    p999: float | None = None
    max: float | None = None


@dataclass(frozen=True, slots=True)
class SizeRow:
    """One memory size. median_ms, slowest_ms: of warm calls; init_ms: slowest cold start, None when not measured.

    max_memory_mb: None where the platform does not report it. durations_from: `REPORT` (Lambda) or `caller`.
    """

    memory_mb: int = 0
    median_ms: float = 0.0
    slowest_ms: float = 0.0
    init_ms: float | None = None
    max_memory_mb: int | None = None
    usd_per_million: float = 0.0
    durations_from: str = ""


@dataclass(frozen=True, slots=True)
class Tuning:
    """Recommended memory sizes in MB. cheapest: None when no size meets the SLOs."""

    cheapest: int | None = None
    fastest: int = 0
    sizes: tuple[SizeRow, ...] = ()


@dataclass(frozen=True, slots=True)
class LoadEvidence:
    """verdict: `PASSED`, `FAILED` or `INVALID` (the generator itself was too slow). rps: good answers a second.

    due, sent, good, unsent, errors: numbers of requests. response_ms: from when a request was due; service_ms: from
    when it was sent. generator_late_ms: how late the generator sent. split_ms: gateway, proxy and upstream.
    cold_starts_ms: each init duration; cold_starts_from: `REPORT` or `proxy`; None when none were forced.
    compared_with: the baseline, or why there is none. own_ms: whole answers (a stream's first byte) without what the
    upstream took; usd_per_million: price of a million requests, without tokens. comparisons: with live, side by side.
    scaled_down: what of the default load did not fit the account's concurrency, "" if all of it did. shards: prefix in
    the bucket. curves: key of what the report draws, "" in records of earlier versions.
    """

    PHASE: ClassVar[str] = "load_test"

    version: str = ""
    verdict: str = ""
    slos: tuple[SloRow, ...] = ()
    due: int = 0
    sent: int = 0
    good: int = 0
    unsent: int = 0
    errors: Mapping[str, int] = field(default_factory=dict)
    rps: float = 0.0
    response_ms: Percentiles = Percentiles()
    service_ms: Percentiles = Percentiles()
    first_byte_ms: Percentiles = Percentiles()
    generator_late_ms: Percentiles = Percentiles()
    split_ms: Mapping[str, Percentiles] = field(default_factory=dict)
    workers: int = 0
    start_skew_ms: float = 0.0
    connections: int = 0
    stream_events_per_s: float | None = None
    cold_starts_ms: tuple[float, ...] | None = None
    cold_starts_from: tuple[str, ...] | None = None
    max_memory_mb: int | None = None
    compared_with: str = ""
    estimated_usd: float | None = None
    scaled_down: str = ""
    shards: str = ""
    tuning: Tuning | None = None
    own_ms: Percentiles = Percentiles()
    usd_per_million: float | None = None
    comparisons: tuple[Compared, ...] = ()
    curves: str = ""
