"""What the proxy's log lines say of each function version: times by second, and failures. Pure.

Each request has a line with its metrics (EMF), at every log level: `Overhead` and `FirstByteOverhead` in milliseconds,
`Errors` 1 for a failure. The version stands in brackets in the name of the log stream. Lambda's own error metric does
not count what the proxy answers with a 5xx.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from chalicelib.domain.aws.logs import LogLine
from chalicelib.domain.evidence.comparison import Split
from chalicelib.domain.names import METRIC_NAMESPACE
from chalicelib.load.histogram import Histogram

MARK = "Overhead"  # what every request's line contains
_VERSION = re.compile(r"\[(\d+)\]")
_SERIES = {"overhead": "Overhead", "first_byte": "FirstByteOverhead"}
_US_PER_MS = 1_000
_MS_PER_S = 1_000


@dataclass(frozen=True, slots=True)
class Spoken:
    """One user's request. times_us: by series; a cold start has none, since it has an SLO of its own."""

    version: str
    second: int
    is_failure: bool
    times_us: Mapping[str, int]


@dataclass
class VersionLines:
    """The requests of one version. series: histograms by name and second (Unix time); counts by second."""

    series: dict[str, dict[int, Histogram]] = field(default_factory=dict)
    requests: Counter[int] = field(default_factory=Counter)
    failures: Counter[int] = field(default_factory=Counter)

    def add(self, request: Spoken) -> None:
        """Count one request."""
        self.requests[request.second] += 1
        self.failures[request.second] += request.is_failure
        for name, us in request.times_us.items():
            self.series.setdefault(name, {}).setdefault(request.second, Histogram()).record(us)


def request_of(line: LogLine) -> Spoken | None:
    """The request that a line tells of; None for other lines, and for requests of tests."""
    version = _VERSION.search(line.stream)
    try:
        metrics = json.loads(line.text)
    except ValueError:
        return None
    if version is None or not isinstance(metrics, dict) or _namespace(metrics) != METRIC_NAMESPACE:
        return None
    if _first(metrics, "Requests") is None:
        return None
    values = {name: _first(metrics, metric) for name, metric in _SERIES.items()}
    is_cold = bool(_first(metrics, "ColdStart"))
    times = {name: round(ms * _US_PER_MS) for name, ms in values.items() if ms is not None and not is_cold}
    return Spoken(version[1], line.at_ms // _MS_PER_S, bool(_first(metrics, "Errors")), times)


def _namespace(metrics: Mapping[str, object]) -> object:
    aws = metrics.get("_aws")
    directives = aws.get("CloudWatchMetrics") if isinstance(aws, dict) else None
    first = directives[0] if isinstance(directives, list) and directives else None
    return first.get("Namespace") if isinstance(first, dict) else None


def _first(metrics: Mapping[str, object], name: str) -> float | None:
    """The value of a metric, which EMF writes as a number or as a list."""
    value = metrics.get(name)
    if isinstance(value, list):
        value = value[0] if value else None
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def by_version(lines: Iterable[LogLine], before_s: int) -> dict[str, VersionLines]:
    """The requests of each version, by its number, in seconds (Unix time) before `before_s`."""
    versions: dict[str, VersionLines] = {}
    for line in lines:
        request = request_of(line) if line.at_ms < before_s * _MS_PER_S else None
        if request is not None:
            versions.setdefault(request.version, VersionLines()).add(request)
    return versions


def failures_of(candidate: VersionLines, live: VersionLines) -> list[Split]:
    """Requests and failures of both, by second."""
    seconds = sorted({*candidate.requests, *live.requests})
    return [
        Split(candidate.requests[at], candidate.failures[at], live.requests[at], live.failures[at]) for at in seconds
    ]
