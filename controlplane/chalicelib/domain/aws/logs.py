"""Log groups, metric filters and saved queries as values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LogGroup:
    """retention_days is None for a group that keeps its lines for ever."""

    name: str
    arn: str
    retention_days: int | None


@dataclass(frozen=True, slots=True)
class LogLine:
    """stream: name of the log stream, which holds the function's version in brackets; at_ms: Unix time."""

    stream: str
    at_ms: int
    text: str


@dataclass(frozen=True, slots=True)
class MetricFilter:
    """Counts matching lines of a group as a metric."""

    name: str
    group: str
    pattern: str
    metric: str
    namespace: str
    value: str = "1"


@dataclass(frozen=True, slots=True)
class SavedQuery:
    """A Logs Insights query; a "/" in the name makes a folder in the console."""

    name: str
    groups: Sequence[str]
    text: str
    id: str = ""
