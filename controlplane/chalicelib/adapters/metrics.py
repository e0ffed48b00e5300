"""CloudWatch metrics behind `ports.metrics`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from chalicelib.domain.aws.alarms import Metric

from .session import HOME, Session


class CloudWatchMetrics:
    """See the Protocol."""

    def __init__(self, session: Session = HOME) -> None:
        self._session = session

    def sums(self, metrics: Mapping[str, Metric], since: datetime, until: datetime) -> Mapping[str, float]:
        queries: list[dict[str, Any]] = [
            {
                "Id": name,
                "MetricStat": {
                    "Metric": {
                        "Namespace": metric.namespace,
                        "MetricName": metric.name,
                        "Dimensions": [{"Name": key, "Value": value} for key, value in metric.dimensions.items()],
                    },
                    "Period": metric.period_s,
                    "Stat": "Sum",
                },
            }
            for name, metric in metrics.items()
        ]
        entries = self._session.pages(
            "cloudwatch",
            "get_metric_data",
            "MetricDataResults",
            MetricDataQueries=queries,
            StartTime=since,
            EndTime=until,
        )
        sums = dict.fromkeys(metrics, 0.0)
        for entry in entries:
            sums[entry["Id"]] += sum(entry["Values"])
        return sums
