"""The pump moves every log line's metrics once, also when lines arrive late."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from local import places
from local.pump import LOOK_BACK_MS, Cursor, LogEvent, Pump, Pumps
from local.state import Cloud, Keys


def event(number: int, at_ms: int) -> LogEvent:
    return {"logStreamName": "one", "timestamp": at_ms, "message": line(number, at_ms)}


def line(value: int, at_ms: int) -> str:
    directive = {"Namespace": "proxyctl", "Dimensions": [["environment"]], "Metrics": [{"Name": "Requests"}]}
    return json.dumps(
        {"_aws": {"Timestamp": at_ms, "CloudWatchMetrics": [directive]}, "environment": "dev", "Requests": value}
    )


class _Pages:
    def __init__(self, pages: list[dict[str, Any]]) -> None:
        self._pages = pages

    def paginate(self, **arguments: Any) -> list[dict[str, Any]]:
        since = arguments.get("startTime", 0)
        return [
            page | {"events": [item for item in page["events"] if item["timestamp"] >= since]}
            if "events" in page
            else page
            for page in self._pages
        ]


class FakeLogs:
    def __init__(self) -> None:
        self.events: list[LogEvent] = []

    def get_paginator(self, operation: str) -> _Pages:
        if operation == "describe_log_groups":
            return _Pages([{"logGroups": [{"logGroupName": "/aws/lambda/proxyctl-dev-proxy"}]}])
        return _Pages([{"events": self.events[:1]}, {"events": self.events[1:]}])


class FakeMetrics:
    def __init__(self) -> None:
        self.values: list[float] = []

    def put_metric_data(self, Namespace: str, MetricData: list[dict[str, Any]]) -> None:
        self.values += [value for entry in MetricData for value in entry["Values"]]


def test_a_line_is_moved_once_however_often_the_group_is_read() -> None:
    logs, metrics = FakeLogs(), FakeMetrics()
    pump = Pump(logs, metrics)
    logs.events = [event(1, 1_000), event(2, 2_000)]
    assert (pump.move(), pump.move()) == (2, 0)
    assert metrics.values == [1, 2]


def test_a_line_that_arrives_late_is_not_lost() -> None:
    logs, metrics = FakeLogs(), FakeMetrics()
    pump = Pump(logs, metrics)
    logs.events = [event(2, 20_000)]
    pump.move()
    logs.events.append(event(1, 20_000 - LOOK_BACK_MS + 1))
    pump.move()
    assert metrics.values == [2, 1]


def test_a_pump_that_takes_anothers_place_counts_nothing_twice() -> None:
    logs, metrics = FakeLogs(), FakeMetrics()
    logs.events = [event(1, 40_000), event(2, 60_000)]
    Pump(logs, metrics, begins_ms=50_000).move()
    assert metrics.values == [2]


def test_what_was_seen_is_forgotten_when_it_cannot_come_again() -> None:
    cursor = Cursor()
    cursor.fresh([event(1, 1_000)])
    cursor.fresh([event(2, 1_000 + LOOK_BACK_MS + 1)])
    assert [key[1] for key in cursor.read] == [1_000 + LOOK_BACK_MS + 1]


def test_two_lines_that_are_alike_count_twice_and_no_more() -> None:
    """Two requests may write the same line in the same millisecond, and the emulator gives no ids."""
    cursor, twins = Cursor(), [event(1, 1_000), event(1, 1_000)]
    assert len(cursor.fresh(twins)) == 2
    assert cursor.fresh(twins) == []
    assert len(cursor.fresh([*twins, event(1, 1_000)])) == 1


def test_each_place_has_a_pump_of_its_own_from_when_it_is_added(tmp_path: Path) -> None:
    own = Keys("AKIA", "secret")
    cloud = Cloud("t", "eu-central-1", "000000000000", 1, 2, own, own, ())
    pumps = Pumps(tmp_path, cloud, 0)
    assert len(pumps._all()) == 1
    places.add(tmp_path, "222222222222", "eu-west-1")
    places.add(tmp_path, "222222222222", "eu-west-1")
    assert places.others(tmp_path) == [("222222222222", "eu-west-1")]
    assert [pump._logs.meta.region_name for pump in pumps._all()] == ["eu-central-1", "eu-west-1"]
    assert pumps._all()[1] is pumps._all()[1]
    assert places.root_of("222222222222", cloud).access_key_id == "222222222222"
    assert places.root_of("000000000000", cloud) == own
