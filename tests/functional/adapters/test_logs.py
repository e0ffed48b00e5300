"""The CloudWatch Logs adapter against moto."""

from __future__ import annotations

import time

import boto3
from chalicelib.adapters.logs import CloudWatchLogs
from chalicelib.domain.names import Names
from chalicelib.monitoring import dashboard

NAMES = Names("dev")


def made() -> CloudWatchLogs:
    boto3.client("logs").create_log_group(logGroupName=NAMES.log_group)
    return CloudWatchLogs()


def test_retention_is_seen_and_set() -> None:
    logs = made()
    assert logs.groups(NAMES.log_group)[0].retention_days is None
    logs.set_retention(NAMES.log_group, 30)
    (group,) = logs.groups(NAMES.log_group)
    assert (group.retention_days, group.arn.endswith(NAMES.log_group)) == (30, True)


def test_metric_filters_are_found_as_they_were_put() -> None:
    logs = made()
    for wanted in dashboard.filters(NAMES):
        logs.put_filter(wanted)
    assert sorted(logs.filters(NAMES.log_group), key=lambda one: one.name) == sorted(
        dashboard.filters(NAMES), key=lambda one: one.name
    )
    for wanted in dashboard.filters(NAMES):
        logs.delete_filter(NAMES.log_group, wanted.name)
    assert logs.filters(NAMES.log_group) == []


def test_a_line_is_found_by_what_it_contains() -> None:
    logs, plain = made(), boto3.client("logs")
    plain.create_log_stream(logGroupName=NAMES.log_group, logStreamName="s")
    now = int(time.time() * 1_000)
    events = [{"timestamp": now, "message": text} for text in ('{"request_id": "req-1"}', "REPORT")]
    plain.put_log_events(logGroupName=NAMES.log_group, logStreamName="s", logEvents=events)
    assert logs.search(NAMES.log_group, "req-1", now - 1_000) == ['{"request_id": "req-1"}']
    assert logs.search(NAMES.log_group, "req-2", now - 1_000) == []


def test_a_group_that_is_gone_is_no_error() -> None:
    logs = CloudWatchLogs()
    logs.delete_group(NAMES.log_group)
    assert logs.search(NAMES.log_group, "x", 0) == []
    assert logs.groups(NAMES.log_group) == []
