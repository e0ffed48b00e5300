"""`logs`: lines of both logs by time, narrowed to one request or deployment."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from ctl.diagnosis import logs
from ctl.inputs import Refused

PROXY = "/aws/lambda/proxyctl-dev-proxy"


class FakeLogs:
    """The pages of filter_log_events by log group; notes how it was called."""

    def __init__(self, groups: dict[str, list[tuple[int, str]]]) -> None:
        self.groups, self.calls = groups, []  # type: ignore[var-annotated]

    def get_paginator(self, name: str) -> FakeLogs:
        assert name == "filter_log_events"
        return self

    def paginate(self, **arguments: Any) -> Iterator[dict[str, Any]]:
        self.calls.append(arguments)
        group = arguments["logGroupName"]
        if group not in self.groups:
            raise ClientError({"Error": {"Code": "ResourceNotFoundException", "Message": "none"}}, "FilterLogEvents")
        for at, message in self.groups[group]:
            yield {"events": [{"timestamp": at, "eventId": f"{group}{at}", "message": message}]}


def test_lines_of_both_logs_come_in_the_order_of_their_times() -> None:
    fake = FakeLogs({PROXY: [(1, "a"), (3, "c")], logs.CONTROL_PLANE: [(2, "b")]})
    lines = logs.tail(logs.Query("dev", 60, deployment="d-1"), fake, fake, follows=False)
    assert [line.message for line in lines] == ["a", "b", "c"]
    assert {call["filterPattern"] for call in fake.calls} == {'"d-1"'}


def test_without_a_deployment_only_the_proxys_log_is_read() -> None:
    fake = FakeLogs({PROXY: []})
    assert list(logs.tail(logs.Query("dev", 60), fake, fake, follows=False)) == []
    assert [call["logGroupName"] for call in fake.calls] == [PROXY]


def test_a_log_that_is_not_there_names_the_environment() -> None:
    with pytest.raises(Refused, match="does environment dev exist"):
        list(logs.tail(logs.Query("dev", 60), FakeLogs({}), FakeLogs({}), follows=False))


def test_an_event_without_an_id_is_told_from_others_by_stream_time_and_text() -> None:
    event = {"timestamp": 1, "message": "a", "logStreamName": "s"}
    assert logs._id_of(event) == logs._id_of(dict(event)) != logs._id_of(event | {"message": "b"})
    assert logs._id_of(event | {"eventId": "7"}) == "7"


@pytest.mark.parametrize(("text", "seconds"), [("30s", 30), ("15m", 900), ("2h", 7_200), ("1d", 86_400)])
def test_a_time_has_a_unit(text: str, seconds: int) -> None:
    assert logs.duration(text) == seconds


@pytest.mark.parametrize("text", ["", "15", "0m", "-1m", "1w", "1.5h"])
def test_any_other_time_is_refused(text: str) -> None:
    with pytest.raises(Refused, match="--since"):
        logs.duration(text)


@pytest.mark.parametrize("text", ['a"b', "a b", "a\n", "x" * 201])
def test_an_id_that_would_be_a_pattern_is_refused(text: str) -> None:
    with pytest.raises(Refused, match="is no id"):
        _ = logs.Query("dev", 60, request_id=text).pattern


def test_a_line_is_shown_in_words_and_as_json() -> None:
    message = json.dumps({"level": "INFO", "message": "done\x1b[2J", "status": 200, "request_id": "r-1"})
    line = logs.Line(1_767_261_600_250, "1", PROXY, message)
    assert logs.text(line) == "10:00:00.250 proxy   INFO  done\\x1b[2J  200  request r-1"
    assert json.loads(logs.as_json(line))["message"]["status"] == 200
