"""`ports.metrics` in memory: one figure for each metric's name and executed version."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from chalicelib.domain.aws.alarms import Metric


class FakeMetrics:
    def __init__(self) -> None:
        self.values: dict[tuple[str, str], float] = {}

    def sums(self, metrics: Mapping[str, Metric], since: datetime, until: datetime) -> Mapping[str, float]:
        return {
            name: self.values.get((metric.name, metric.dimensions["ExecutedVersion"]), 0.0)
            for name, metric in metrics.items()
        }
