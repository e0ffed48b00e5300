"""What is read of the proxy's log, and how much of it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from chalicelib.checks.comparison.read_times import LATE_S, MOST_PAGES, read_times
from chalicelib.domain.aws.logs import LogLine

from tests.fakes import FakeAws
from tests.fakes.lines import line

GROUP = "/aws/lambda/proxyctl-dev-proxy"


def at(second: float) -> datetime:
    return datetime.fromtimestamp(second, UTC)


def world(*lines: LogLine) -> FakeAws:
    aws = FakeAws()
    aws.logs.dated[GROUP] = list(lines)
    return aws


def test_whole_seconds_are_read_up_to_ten_seconds_ago() -> None:
    """A line takes some seconds until it can be read."""
    assert (LATE_S, MOST_PAGES) == (10, 40)
    aws = world(*(line(1_000 * second, Overhead=[1.0]) for second in range(100)))
    reading = read_times(GROUP, 20_000, at(60.9), aws.as_aws())
    assert sorted(reading.of("7").requests) == list(range(20, 50))
    assert reading.until_ms == 50_000
    assert reading.of("8").requests == {}


@pytest.mark.parametrize(("now", "until_ms", "count"), [(30.0, 20_000, 0), (30.9, 20_000, 0), (31.0, 21_000, 1)])
def test_a_look_that_comes_too_early_reads_nothing(now: float, until_ms: int, count: int) -> None:
    aws = world(line(20_500, Overhead=[1.0]))
    reading = read_times(GROUP, 20_000, at(now), aws.as_aws())
    assert (reading.until_ms, reading.of("7").requests.total()) == (until_ms, count)


def test_of_too_many_lines_the_first_whole_seconds_count_and_the_next_look_goes_on_behind_all() -> None:
    aws = world(*(line(1_000 * second + part, Overhead=[1.0]) for second in range(60) for part in range(4)))
    aws.logs.page = 3
    reading = read_times(GROUP, 0, at(70), aws.as_aws())
    # 40 pages of 3 lines end in second 29, which may not be complete.
    assert sorted(reading.of("7").requests) == list(range(29))
    assert reading.until_ms == 60_000
    aws.logs.page = 7
    assert len(read_times(GROUP, 0, at(70), aws.as_aws()).of("7").requests) == 60
