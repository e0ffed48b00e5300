"""CloudWatch alarms and dashboards behind `ports.alarms`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from chalicelib.domain.aws.alarms import Alarm, AlarmState, Metric
from chalicelib.domain.errors import NotFound

from .session import HOME, Session

_DELETE_LIMIT = 100  # alarms that one DeleteAlarms call may name


def _dimensions(metric: Metric) -> list[dict[str, str]]:
    return [{"Name": key, "Value": value} for key, value in metric.dimensions.items()]


def _figure(alarm: Alarm) -> dict[str, Any]:
    """How PutMetricAlarm wants the watched figure: a metric by itself, or metric math."""
    if not alarm.expression:
        (metric,) = alarm.metrics.values()
        # CloudWatch has two words for it: percentiles go by another name than sums and averages.
        is_percentile = metric.statistic.startswith("p")
        kind = "ExtendedStatistic" if is_percentile else "Statistic"
        few = {"EvaluateLowSampleCountPercentile": "ignore"} if is_percentile else {}
        return {
            **few,
            "Namespace": metric.namespace,
            "MetricName": metric.name,
            "Dimensions": _dimensions(metric),
            "Period": metric.period_s,
            kind: metric.statistic,
        }
    queries: list[dict[str, Any]] = [
        {
            "Id": key,
            "ReturnData": False,
            "MetricStat": {
                "Metric": {
                    "Namespace": metric.namespace,
                    "MetricName": metric.name,
                    "Dimensions": _dimensions(metric),
                },
                "Period": metric.period_s,
                "Stat": metric.statistic,
            },
        }
        for key, metric in alarm.metrics.items()
    ]
    return {"Metrics": [*queries, {"Id": "figure", "Expression": alarm.expression, "ReturnData": True}]}


def _metric(answer: Mapping[str, Any], statistic: str, period_s: int) -> Metric:
    dimensions = {item["Name"]: item["Value"] for item in answer.get("Dimensions", [])}
    return Metric(answer.get("Namespace", ""), answer.get("MetricName", ""), dimensions, statistic, period_s)


def _definition(answer: Mapping[str, Any]) -> Alarm:
    expression = ""
    metrics: dict[str, Metric] = {}
    for query in answer.get("Metrics", []):
        if "Expression" in query:
            expression = query["Expression"]
        else:
            stat = query["MetricStat"]
            metrics[query["Id"]] = _metric(stat["Metric"], stat["Stat"], stat["Period"])
    # Neither metric nor math is an answer that AWS never gives; the embedded cloud forgets an alarm's metric math.
    if not metrics and answer.get("MetricName"):
        statistic = answer.get("ExtendedStatistic") or answer.get("Statistic", "")
        metrics["figure"] = _metric(answer, statistic, answer.get("Period", 0))
    return Alarm(
        name=answer["AlarmName"],
        description=answer.get("AlarmDescription", ""),
        metrics=metrics,
        threshold=answer.get("Threshold", 0.0),
        expression=expression,
        periods=answer.get("EvaluationPeriods", 0),
        datapoints=answer.get("DatapointsToAlarm", 0),
        actions=tuple(answer.get("AlarmActions", [])),
    )


class CloudWatchAlarms:
    """See the Protocol."""

    def __init__(self, session: Session = HOME) -> None:
        self._session = session

    def find(self, prefix: str) -> Sequence[AlarmState]:
        entries = self._session.pages(
            "cloudwatch", "describe_alarms", "MetricAlarms", AlarmNamePrefix=prefix, AlarmTypes=["MetricAlarm"]
        )
        return [
            AlarmState(
                item["AlarmName"],
                item["AlarmArn"],
                item["StateValue"],
                item.get("StateReason", ""),
                _definition(item),
                bool(item.get("ActionsEnabled", True)),
            )
            for item in entries
        ]

    def ringing(self, prefix: str) -> Sequence[str]:
        arguments = {"AlarmNamePrefix": prefix, "StateValue": "ALARM", "AlarmTypes": ["MetricAlarm"]}
        entries = self._session.pages("cloudwatch", "describe_alarms", "MetricAlarms", **arguments)
        return sorted(str(entry["AlarmName"]) for entry in entries)

    def tag(self, arn: str, tags: Mapping[str, str]) -> None:
        entries = [{"Key": key, "Value": value} for key, value in tags.items()]
        self._session.call("cloudwatch", "tag_resource", ResourceARN=arn, Tags=entries)

    def put(self, alarm: Alarm, tags: Mapping[str, str]) -> None:
        self._session.call(
            "cloudwatch",
            "put_metric_alarm",
            AlarmName=alarm.name,
            AlarmDescription=alarm.description,
            ComparisonOperator="GreaterThanOrEqualToThreshold",
            Threshold=alarm.threshold,
            EvaluationPeriods=alarm.periods,
            DatapointsToAlarm=alarm.datapoints,
            TreatMissingData="notBreaching",
            ActionsEnabled=True,
            AlarmActions=list(alarm.actions),
            OKActions=list(alarm.actions),
            Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
            **_figure(alarm),
        )

    def set_state(self, name: str, state: str, reason: str) -> None:
        self._session.call("cloudwatch", "set_alarm_state", AlarmName=name, StateValue=state, StateReason=reason)

    def delete(self, names: Sequence[str]) -> None:
        for start in range(0, len(names), _DELETE_LIMIT):
            self._session.call("cloudwatch", "delete_alarms", AlarmNames=list(names[start : start + _DELETE_LIMIT]))

    def dashboard(self, name: str) -> str | None:
        try:
            body: str = self._session.call("cloudwatch", "get_dashboard", DashboardName=name)["DashboardBody"]
        except NotFound:
            return None
        return body

    def put_dashboard(self, name: str, body: str) -> None:
        self._session.call("cloudwatch", "put_dashboard", DashboardName=name, DashboardBody=body)

    def delete_dashboards(self, names: Sequence[str]) -> None:
        if names:
            self._session.call("cloudwatch", "delete_dashboards", DashboardNames=list(names))
