"""CloudWatch metrics, read."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from chalicelib.domain.aws.alarms import Metric


class Metrics(Protocol):
    def sums(self, metrics: Mapping[str, Metric], since: datetime, until: datetime) -> Mapping[str, float]:
        """Sum of each metric over the time, by the caller's names ([a-z][a-z0-9]*); one without data is 0."""
        ...
