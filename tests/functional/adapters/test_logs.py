"""The CloudWatch Logs adapter against moto."""

from __future__ import annotations

import time

import boto3
import pytest
from botocore.stub import Stubber
from chalicelib.adapters.logs import CloudWatchLogs
from chalicelib.domain.aws.logs import LogLine
from chalicelib.domain.names import Names
from chalicelib.monitoring import dashboard

NAMES = Names("dev")


def cloud_watch_logs() -> CloudWatchLogs:
    boto3.client("logs").create_log_group(logGroupName=NAMES.log_group)
    return CloudWatchLogs()


def test_retention_is_seen_and_set() -> None:
    logs = cloud_watch_logs()
    assert logs.groups(NAMES.log_group)[0].retention_days is None
    logs.set_retention(NAMES.log_group, 30)
    (group,) = logs.groups(NAMES.log_group)
    assert (group.retention_days, group.arn.endswith(NAMES.log_group)) == (30, True)


def test_metric_filters_are_found_as_they_were_put() -> None:
    logs = cloud_watch_logs()
    for wanted in dashboard.filters(NAMES):
        logs.put_filter(wanted)
    assert sorted(logs.filters(NAMES.log_group), key=lambda item: item.name) == sorted(
        dashboard.filters(NAMES), key=lambda item: item.name
    )
    for wanted in dashboard.filters(NAMES):
        logs.delete_filter(NAMES.log_group, wanted.name)
    assert logs.filters(NAMES.log_group) == []


def test_a_line_is_found_by_what_it_contains() -> None:
    logs, plain = cloud_watch_logs(), boto3.client("logs")
    plain.create_log_stream(logGroupName=NAMES.log_group, logStreamName="s")
    now = int(time.time() * 1_000)
    events = [{"timestamp": now, "message": text} for text in ('{"request_id": "req-1"}', "REPORT")]
    plain.put_log_events(logGroupName=NAMES.log_group, logStreamName="s", logEvents=events)
    assert logs.search(NAMES.log_group, "req-1", now - 1_000) == ['{"request_id": "req-1"}']
    assert logs.search(NAMES.log_group, "req-2", now - 1_000) == []


def test_lines_are_read_by_stream_and_time() -> None:
    logs, plain = cloud_watch_logs(), boto3.client("logs")
    now = int(time.time()) * 1_000
    for version, offset in (("7", 0), ("8", 1_000)):
        stream = f"2026/11/26/[{version}]abc"
        plain.create_log_stream(logGroupName=NAMES.log_group, logStreamName=stream)
        events = [{"timestamp": now + offset + part, "message": f"Overhead {part}"} for part in (0, 500)]
        events.append({"timestamp": now + offset + 700, "message": "REPORT"})
        plain.put_log_events(logGroupName=NAMES.log_group, logStreamName=stream, logEvents=events)
    lines = [line for page in logs.read(NAMES.log_group, "Overhead", now + 500, now + 1_500) for line in page]
    assert sorted(lines, key=lambda line: line.at_ms) == [
        LogLine("2026/11/26/[7]abc", now + 500, "Overhead 500"),
        LogLine("2026/11/26/[8]abc", now + 1_000, "Overhead 0"),
    ]


def test_lines_come_in_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """moto gives one page; AWS gives a token as long as there is more, also with an empty page."""
    client = boto3.client("logs")
    with Stubber(client) as stubber:
        requested = {"logGroupName": "g", "filterPattern": '"Overhead"', "startTime": 5, "endTime": 8}
        event = {"logStreamName": "s", "timestamp": 6, "message": "m"}
        stubber.add_response("filter_log_events", {"events": [], "nextToken": "a"}, requested)
        stubber.add_response("filter_log_events", {"events": [event]}, {**requested, "nextToken": "a"})
        monkeypatch.setattr("chalicelib.adapters.session.client", lambda _: client)
        assert list(CloudWatchLogs().read("g", "Overhead", 5, 9)) == [[], [LogLine("s", 6, "m")]]


def test_a_group_that_is_gone_is_no_error() -> None:
    logs = CloudWatchLogs()
    assert list(logs.read(NAMES.log_group, "x", 0, 1_000)) == []
    logs.delete_group(NAMES.log_group)
    assert logs.search(NAMES.log_group, "x", 0) == []
    assert logs.groups(NAMES.log_group) == []
