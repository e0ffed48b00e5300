"""What CloudWatch would get of a long stream, and what the default alarms make of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chalicelib.domain.aws.alarms import Alarm, Metric
from chalicelib.domain.config import AlarmThresholds
from chalicelib.domain.names import Names
from chalicelib.monitoring.alarms import definitions

from local.inside.alarm_rules import ALARM, EXTRA_PERIODS, OK, Rule, next_state

REQUESTS = 2_000  # a minute: enough for every percentile and every least number of requests


def of_aws(stream_s: float) -> dict[tuple[str, str], float]:
    """What AWS itself measures of an answer that took so long: (namespace, metric) to the value of each request."""
    ms = stream_s * 1_000
    return {
        **{("AWS/Lambda", name): 0.0 for name in ("Errors", "Throttles")},
        ("AWS/Lambda", "ConcurrentExecutions"): 100.0,
        ("AWS/Lambda", "Duration"): ms,
        **{("AWS/ApiGateway", name): 0.0 for name in ("4XXError", "5XXError")},
        ("AWS/ApiGateway", "Count"): 1.0,
        ("AWS/ApiGateway", "Latency"): ms,
        ("AWS/ApiGateway", "IntegrationLatency"): ms,
    }


def of_line(line: Mapping[str, Any]) -> dict[tuple[str, str], float]:
    """The metrics in a log line's EMF part."""
    (directive,) = line["_aws"]["CloudWatchMetrics"]
    measured = {}
    for metric in directive["Metrics"]:
        (value,) = line[metric["Name"]]
        measured[(str(directive["Namespace"]), str(metric["Name"]))] = float(value)
    return measured


def ringing(measured: Mapping[tuple[str, str], float], limits: AlarmThresholds | None = None) -> set[str]:
    """The alarms that fire when every request of some minutes measures this; the defaults unless limits are given."""
    alarms = definitions(Names("dev"), limits or AlarmThresholds(), stage="api", topic_arn="arn:topic")
    return {alarm.name.rpartition("/")[2] for alarm in alarms if _state(alarm, measured) == ALARM}


def _state(alarm: Alarm, measured: Mapping[tuple[str, str], float]) -> str:
    rule = Rule("GreaterThanOrEqualToThreshold", alarm.threshold, alarm.periods, alarm.datapoints, "notBreaching")
    values = {key: _figure(metric, measured) for key, metric in alarm.metrics.items()}
    figure = values["errors"] / values["requests"] if alarm.expression else values["figure"]
    return next_state(rule, [figure] * (alarm.periods + EXTRA_PERIODS), OK)


def _figure(metric: Metric, measured: Mapping[tuple[str, str], float]) -> float:
    """All requests measure the same, so that every statistic but the sum is that value. Unknown metrics are 0."""
    value = measured.get((metric.namespace, metric.name), 0.0)
    return value * REQUESTS if metric.statistic == "Sum" else value
