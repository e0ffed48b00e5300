"""CloudWatch alarms as values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric with a statistic: `Sum`, `Average`, `Maximum`, `p99`, …, over `period_s` seconds."""

    namespace: str
    name: str
    dimensions: Mapping[str, str]
    statistic: str
    period_s: int = 60


@dataclass(frozen=True, slots=True)
class Alarm:
    """Fires when the figure is at or above `threshold` in `datapoints` of the last `periods` periods.

    `expression` is metric math over the ids of `metrics`; empty where the only metric is the figure itself. Missing
    data never fires: no traffic is no fault.
    """

    name: str
    description: str
    metrics: Mapping[str, Metric]
    threshold: float
    expression: str = ""
    periods: int = 3
    datapoints: int = 2
    actions: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class AlarmState:
    """state: OK, ALARM or INSUFFICIENT_DATA. actions_enabled: False for one that someone silenced.
    definition: without `metrics` where the cloud does not tell them."""

    name: str
    arn: str
    state: str
    reason: str = ""
    definition: Alarm | None = field(default=None, repr=False)
    actions_enabled: bool = True
