"""What the proxy's lines say of each version."""

from __future__ import annotations

import json

import pytest
from chalicelib.checks.comparison.log_lines import MARK, Spoken, VersionLines, by_version, failures_of, request_of
from chalicelib.domain.aws.logs import LogLine
from chalicelib.domain.evidence.comparison import Split

from proxy.clock import Clock
from proxy.exchange import Exchange
from proxy.telemetry import Telemetry
from tests.fakes.lines import STREAM, line


@pytest.mark.parametrize("stream", [STREAM, "2026/11/26/[7]0123456789abcdef"])
def test_a_line_tells_version_second_times_and_failure(stream: str) -> None:
    """Lambda names streams of a log group that someone chose with the function's name."""
    spoken = request_of(line(stream=stream, Overhead=[1.5], FirstByteOverhead=[0.75], Errors=[1.0]))
    assert spoken == Spoken("7", 5, True, {"overhead": 1_500, "first_byte": 750})


def test_a_value_may_be_a_number_or_a_list_and_may_be_missing() -> None:
    spoken = request_of(line(Overhead=2, FirstByteOverhead=[]))
    assert spoken == Spoken("7", 5, False, {"overhead": 2_000})
    assert request_of(line(Overhead=True, Errors="x")) == Spoken("7", 5, False, {})
    assert request_of(line(Overhead=[2.0, 9.0])) == Spoken("7", 5, False, {"overhead": 2_000})


def test_a_cold_start_is_counted_without_its_times() -> None:
    assert request_of(line(Overhead=[900.0], ColdStart=[1.0])) == Spoken("7", 5, False, {})
    assert request_of(line(Overhead=[900.0], ColdStart=[0.0])) == Spoken("7", 5, False, {"overhead": 900_000})


@pytest.mark.parametrize(
    "other",
    [
        line(namespace="proxyctl/candidate", Overhead=[1.0]),
        line(stream="2026/11/26/[$LATEST]0123", Overhead=[1.0]),
        LogLine(STREAM, 0, "REPORT RequestId: 1 Overhead"),
        LogLine(STREAM, 0, '["Overhead"]'),
        LogLine(STREAM, 0, '{"Requests": [1]}'),
        LogLine(STREAM, 0, '{"Requests": [1], "_aws": []}'),
        LogLine(STREAM, 0, '{"Requests": [1], "_aws": {"CloudWatchMetrics": []}}'),
        LogLine(STREAM, 0, '{"Requests": [1], "_aws": {"CloudWatchMetrics": [1]}}'),
        LogLine(STREAM, 0, '{"SecretFailures": [1], "_aws": {"CloudWatchMetrics": [{"Namespace": "proxyctl"}]}}'),
    ],
)
def test_other_lines_and_requests_of_tests_do_not_count(other: LogLine) -> None:
    assert request_of(other) is None
    assert by_version([other], 100) == {}


def test_the_first_directive_says_whose_metrics_they_are() -> None:
    """A request of a test has none of users' namespace; a line of users' may have others behind it."""
    directives = [{"Namespace": "proxyctl"}, {"Namespace": "proxyctl/candidate"}]
    spoken = [
        request_of(LogLine(STREAM, 5_000, json.dumps({"Requests": [1], "_aws": {"CloudWatchMetrics": order}})))
        for order in (directives, directives[::-1])
    ]
    assert spoken == [Spoken("7", 5, False, {}), None]


@pytest.mark.parametrize("level", ["INFO", "ERROR"])
def test_the_proxy_writes_such_lines_at_every_level(level: str, capsys: pytest.CaptureFixture[str]) -> None:
    times = iter([10.0, 10.2])
    telemetry = Telemetry("dev", level, Clock(monotonic=lambda: next(times), wall=lambda: 0.0))
    for _ in range(2):
        exchange = Exchange("r", 9.9, status=502, upstream_s=0.05, first_byte=9.99, first_byte_overhead_s=0.004)
        telemetry.request_ended(exchange)
    cold, warm = (LogLine(STREAM, 3_000, text) for text in capsys.readouterr().out.splitlines())
    assert MARK in cold.text
    assert request_of(cold) == Spoken("7", 3, True, {})
    assert request_of(warm) == Spoken("7", 3, True, {"overhead": 250_000, "first_byte": 4_000})


def test_requests_are_grouped_by_version_and_second_up_to_a_moment() -> None:
    lines = [line(1_000, Overhead=[1.0]), line(1_999, Overhead=[2.0], Errors=[1.0]), line(2_000, Overhead=[1.0])]
    lines += [line(1_500, stream="[8]a", Overhead=[1.0])]
    versions = by_version(lines, 2)
    assert sorted(versions) == ["7", "8"]
    assert (versions["7"].requests, versions["7"].failures) == ({1: 2}, {1: 1})
    assert {second: each.total for second, each in versions["7"].series["overhead"].items()} == {1: 2}
    assert by_version(lines, 3)["7"].requests == {1: 2, 2: 1}


def test_failures_are_tables_by_second() -> None:
    versions = by_version([line(1_000), line(3_000, Errors=[1.0]), line(3_000, stream="[8]a", Errors=[1.0])], 9)
    assert failures_of(versions["7"], versions["8"]) == [Split(1, 0, 0, 0), Split(1, 1, 1, 1)]
    assert failures_of(VersionLines(), VersionLines()) == []
