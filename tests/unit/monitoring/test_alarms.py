"""Facts about the table of alarms: what is measured, whose traffic counts, and when an alarm fires."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from chalicelib.domain.aws.alarms import Alarm
from chalicelib.domain.config import AlarmThresholds
from chalicelib.domain.names import Names
from chalicelib.monitoring.alarms import definitions

NAMES = Names("dev")
WATCHED = {
    "errors",
    "function-errors",
    "overhead",
    "first-byte",
    "throttles",
    "client-errors",
    "server-errors",
    "secret-failures",
}


def _all() -> list[Alarm]:
    return list(definitions(NAMES, AlarmThresholds(), stage="api", topic_arn="arn:topic"))


def gateway_dimensions(alarms: Sequence[Alarm]) -> set[tuple[str, ...]]:
    metrics = [metric for alarm in alarms for metric in alarm.metrics.values() if metric.namespace == "AWS/ApiGateway"]
    return {tuple(metric.dimensions) for metric in metrics}


def test_the_alarms_on_api_gateway_watch_documented_dimensions_unless_a_switch_says_otherwise() -> None:
    """Issue 10, row dd: `Method: ANY` is in no documentation."""
    assert gateway_dimensions(_all()) == {("ApiName", "Stage")}
    limits = AlarmThresholds(gateway_dimensions="method")
    alarms = definitions(NAMES, limits, stage="api", topic_arn="arn:topic")
    assert gateway_dimensions(alarms) == {("ApiName", "Stage", "Resource", "Method")}
    before = {alarm.name: alarm for alarm in _all()}
    changed = {alarm.name.rpartition("/")[2] for alarm in alarms if alarm != before[alarm.name]}
    assert changed == {"client-errors", "server-errors"}


def test_these_eight_alarms_exist_and_each_notifies_the_topic() -> None:
    assert {alarm.name.rpartition("/")[2] for alarm in _all()} == WATCHED
    assert {alarm.actions for alarm in _all()} == {("arn:topic",)}


def test_alarms_watch_users_and_not_the_candidate_under_test() -> None:
    """validate_errors causes failures on purpose; if they counted, each release would be rolled back."""
    for alarm in _all():
        for metric in alarm.metrics.values():
            if metric.namespace == "AWS/Lambda":
                assert metric.dimensions["Resource"] == "proxyctl-dev-proxy:live"
            elif metric.namespace == "AWS/ApiGateway":
                assert metric.dimensions["Stage"] == "api"  # the candidate has a stage of its own
            else:
                assert metric.namespace == "proxyctl"
                assert metric.dimensions == {"environment": "dev"}


def test_a_share_that_callers_cause_counts_from_ten_requests_a_minute_on() -> None:
    math = {alarm.name.rpartition("/")[2]: alarm.expression for alarm in _all() if alarm.expression}
    assert math == {"client-errors": "IF(requests >= 10, errors / requests, 0)"}


def test_executions_at_one_time_are_watched_where_someone_sets_a_limit() -> None:
    alarms = definitions(NAMES, AlarmThresholds(concurrency=14), stage="api", topic_arn="arn:topic")
    assert {alarm.name.rpartition("/")[2] for alarm in alarms} == WATCHED | {"concurrency"}


def test_an_environments_alarms_cost_90_cents_a_month() -> None:
    """Issue 10, row y: an alarm on metric math costs one alarm for each metric in it, at $0.10 a month."""
    assert sum(len(alarm.metrics) for alarm in _all()) * 0.10 == pytest.approx(0.90)


def test_shares_of_aws_metrics_are_averages_of_what_is_counted_as_0_or_1_a_request() -> None:
    single = {alarm.name.rpartition("/")[2]: alarm.metrics for alarm in _all() if not alarm.expression}
    for name in ("errors", "function-errors", "server-errors"):
        (metric,) = single[name].values()
        assert metric.statistic == "Average"


def test_an_alarm_fires_after_two_bad_minutes_of_three_and_after_one_without_a_secret() -> None:
    windows = {alarm.name.rpartition("/")[2]: (alarm.datapoints, alarm.periods) for alarm in _all()}
    assert windows.pop("secret-failures") == (1, 1)
    assert set(windows.values()) == {(2, 3)}


def test_each_threshold_sets_its_own_alarms_only() -> None:
    limits = AlarmThresholds(
        error_rate=0.11,
        overhead_p99_ms=12,
        throttles=13,
        concurrency=14,
        client_error_rate=0.15,
        server_error_rate=0.16,
        first_byte_p99_ms=17,
        secret_failures=18,
    )
    alarms = definitions(NAMES, limits, stage="api", topic_arn="arn:topic")
    assert {alarm.name.rpartition("/")[2]: alarm.threshold for alarm in alarms} == {
        "errors": 0.11,
        "function-errors": 0.11,
        "overhead": 12,
        "throttles": 13,
        "concurrency": 14,
        "client-errors": 0.15,
        "server-errors": 0.16,
        "first-byte": 17,
        "secret-failures": 18,
    }
