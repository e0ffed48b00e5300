"""The new version is watched; one alarm is enough to end it."""

from __future__ import annotations

from typing import Any

import pytest
from chalicelib.checks.comparison.record_times import extended
from chalicelib.checks.comparison.side_by_side import after_windows
from chalicelib.domain.errors import PhaseFailed
from chalicelib.domain.evidence.comparison import Compared, Split
from chalicelib.domain.evidence.release import BakeEvidence, ShiftEvidence
from chalicelib.domain.evidence.stack import SettingsEvidence
from chalicelib.domain.names import Names
from chalicelib.domain.options import Bake, Options, Relative, Slo
from chalicelib.engine.phase import Request, Result, Results, Status
from chalicelib.load.histogram import Histogram
from chalicelib.phases.bake import run as bake
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes import FakeAws
from tests.fakes import settings as settings_of
from tests.fakes.lines import line
from tests.fakes.requests import NOW, next_call, request, results

SHIFTED = results(ShiftEvidence(from_version="1", version="2"))


def bake_request(after_s: float) -> Request:
    return request(after_s=after_s, results=SHIFTED, options=Options(bake=Bake(watch_s=60)))


def world(**states: str) -> FakeAws:
    aws = FakeAws()
    aws.alarms.states = {f"proxyctl/dev/{name}": state for name, state in states.items()}
    return aws


def test_quiet_alarms_are_watched_until_the_time_is_over() -> None:
    aws = world(errors="OK", latency="INSUFFICIENT_DATA").as_aws()
    first_call = bake_request(0)
    first = bake.run(first_call, aws)
    assert (first.status, first.poll_after_s) == (Status.IN_PROGRESS, 30)
    second_call = next_call(first_call, first, after_s=30)
    last = bake.run(next_call(second_call, bake.run(second_call, aws), after_s=30), aws)
    assert last.status is Status.SUCCEEDED
    assert last.evidence == BakeEvidence(
        {"proxyctl/dev/errors": "OK", "proxyctl/dev/latency": "INSUFFICIENT_DATA"}, 3, 60, ("proxyctl/dev/latency",)
    )


@pytest.mark.parametrize(
    ("after_s", "status"), [(59.9, Status.IN_PROGRESS), (60, Status.SUCCEEDED), (60.1, Status.SUCCEEDED)]
)
def test_the_bake_ends_when_its_time_is_over_and_not_before(after_s: float, status: Status) -> None:
    assert bake.run(bake_request(after_s), world(errors="OK").as_aws()).status is status


@pytest.mark.parametrize(("elapsed_s", "wait_s"), [(0, 30), (600, 30), (620, 31), (5_980, 299), (6_020, 300)])
def test_looks_are_rarer_the_longer_the_bake_lasts(elapsed_s: float, wait_s: int) -> None:
    options = Options(bake=Bake(steps=(100,), step_s=0, watch_s=86_400))
    day = request(after_s=elapsed_s, results=SHIFTED, options=options)
    assert bake.run(day, world(errors="OK").as_aws()).poll_after_s == wait_s


@settings(max_examples=25)
@given(st.integers(1, 86_400))
def test_no_bake_fills_the_history_of_an_execution(seconds: int) -> None:
    """Issue 10, row i: 25,000 events an execution, nine of them a look."""
    aws, elapsed, looks = world(errors="OK").as_aws(), 0.0, 0
    options = Options(bake=Bake(steps=(100,), step_s=0, watch_s=seconds))
    while True:
        result = bake.run(request(after_s=elapsed, results=SHIFTED, options=options), aws)
        looks += 1
        if result.status is not Status.IN_PROGRESS:
            break
        elapsed += max(1, result.poll_after_s)
    assert looks * 9 < 5_000


def test_one_firing_alarm_ends_the_bake_even_at_its_last_look() -> None:
    with pytest.raises(PhaseFailed) as ended:
        bake.run(bake_request(60), world(errors="ALARM", latency="OK").as_aws())
    assert ended.value.code == "AlarmFired"
    assert ended.value.evidence == {"alarms": ["proxyctl/dev/errors"]}


def test_an_alarm_of_another_environment_does_not_count() -> None:
    aws = FakeAws()
    aws.alarms.states = {"proxyctl/dev/errors": "OK", "proxyctl/dev-2/errors": "ALARM"}
    assert bake.run(bake_request(60), aws.as_aws()).status is Status.SUCCEEDED


def test_without_alarms_nothing_would_be_proved() -> None:
    with pytest.raises(PhaseFailed) as ended:
        bake.run(bake_request(60), world().as_aws())
    assert ended.value.code == "NoAlarms"


@pytest.mark.parametrize("recorded", [results(), results(ShiftEvidence(version="2"))])
def test_without_a_shift_there_is_nothing_to_watch(recorded: Results) -> None:
    assert bake.run(request(results=recorded), world(errors="OK").as_aws()).status is Status.SKIPPED


def test_a_first_release_which_had_no_live_version_before_is_watched_too() -> None:
    first = request(results=results(ShiftEvidence(from_version="", version="1")))
    assert bake.run(first, world(errors="OK").as_aws()).status is Status.IN_PROGRESS


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"ThrottleRate": ("80", "20")}, Status.IN_PROGRESS),
        ({"LogRetentionDays": ("14", "30"), "ThrottleRate": ("80", "20")}, Status.IN_PROGRESS),
        ({"LogRetentionDays": ("14", "30")}, Status.SKIPPED),
        ({"protected": ("False", "True")}, Status.SKIPPED),
        ({}, Status.SKIPPED),
    ],
)
def test_settings_that_users_can_feel_are_watched_although_the_version_stayed(
    changed: dict[str, tuple[str, str]], status: Status
) -> None:
    settings = results(ShiftEvidence(version="2"), SettingsEvidence(changed=changed))
    current = request(results=settings, options=Options(bake=Bake(watch_s=60)))
    assert bake.run(current, world(errors="OK").as_aws()).status is status


def record(live: int = 1_000, hits: int = 1, **other: Any) -> ShiftEvidence:
    """A shift from version 1 to 2, with so many requests of live."""
    errors = after_windows(Compared(), [Split(live, hits, live, hits)], 0)
    return ShiftEvidence(from_version="1", version="2", comparisons=(errors,), **other)


def look(aws: FakeAws, shift: ShiftEvidence, after_s: float = 30, slo: Slo | None = None) -> Result[BakeEvidence]:
    options = Options(bake=Bake(watch_s=60), slo=slo or Slo())
    return bake.run(request(after_s=after_s, results=results(shift), options=options), aws.as_aws())


def failing(invocations: int, errors: int) -> FakeAws:
    aws = world(errors="OK")
    aws.metrics.values = {("Invocations", "2"): invocations, ("Errors", "2"): errors}
    return aws


def test_a_version_that_crashes_more_often_than_the_one_before_ends_the_bake() -> None:
    with pytest.raises(PhaseFailed) as ended:
        look(failing(1_000, 30), record())
    assert ended.value.code == "CanaryWorse"
    assert ended.value.message == (
        "version 2 is worse than version 1 was: failures: 3 % of 1,000, before 0.1 % of 1,000 "
        "(at most 1 % with 99.95 % confidence): fail (3 fewer failures would have let it pass)"
    )
    assert ended.value.evidence["against_record"][0]["verdict"] == "WORSE"


def test_a_version_that_crashes_as_often_passes_and_says_so() -> None:
    result = look(failing(1_000, 1), record(), after_s=60)
    assert result.status is Status.SUCCEEDED
    assert "failures: 0.1 % of 1,000, before 0.1 % of 1,000" in result.summary
    assert result.evidence is not None
    (row,) = result.evidence.against_record
    assert (row.metric, row.verdict, row.hits, row.count, row.record_count) == ("errors", "NOT_WORSE", 1, 1_000, 1_000)


@pytest.mark.parametrize(("errors", "is_stopped"), [(25, False), (40, True)])
def test_the_bake_has_both_sides_of_its_bound(errors: int, is_stopped: bool) -> None:
    try:
        look(failing(1_000, errors), record())
        stopped = False
    except PhaseFailed:
        stopped = True
    assert stopped is is_stopped


def test_errors_beyond_invocations_are_counted_as_requests() -> None:
    """CloudWatch may show a minute's errors before its invocations."""
    result = look(failing(2, 3), record(), after_s=60)
    assert result.evidence is not None
    assert (result.evidence.against_record[0].hits, result.evidence.against_record[0].count) == (3, 3)


@pytest.mark.parametrize(
    ("shift", "slo"),
    [(ShiftEvidence(from_version="1", version="2"), Slo()), (record(), Slo(relative=Relative(errors=None)))],
)
def test_without_a_record_or_a_bound_failures_are_not_compared(shift: ShiftEvidence, slo: Slo) -> None:
    result = look(failing(1_000, 900), shift, after_s=60, slo=slo)
    assert result.evidence is not None
    assert (result.evidence.failures, result.evidence.against_record) == ("", ())


def test_the_embedded_cloud_has_no_figures_by_version() -> None:
    aws = world(errors="OK")
    aws.settings = settings_of(endpoint_url="http://127.0.0.1:4566")
    aws.metrics.values = {("Invocations", "2"): 1_000, ("Errors", "2"): 900}
    result = bake.run(request(after_s=600, results=results(record())), aws.as_aws())
    assert result.status is Status.SUCCEEDED
    assert result.evidence is not None
    assert result.evidence.against_record == ()


def logged(aws: FakeAws, count: int, since_s: float, *, errors: float = 0.0, overhead: float = 10.0) -> None:
    """Ten requests of version 2 a second, from so many seconds before now."""
    start_ms = int((NOW.timestamp() - since_s) * 1_000)
    aws.logs.dated.setdefault(Names("dev").log_group, []).extend(
        line(start_ms + 100 * number, "2026/11/26/[2]a", Overhead=overhead + number % 7 / 10, Errors=errors)
        for number in range(count)
    )


def times_of_live(count: int = 500, overhead: float = 10.0) -> dict[str, str]:
    histogram = Histogram()
    for number in range(count):
        histogram.record(int(1_000 * (overhead + number % 7 / 10)))
    return extended({}, {"overhead": {1: histogram}})


def test_a_version_that_takes_longer_than_the_one_before_ends_the_bake() -> None:
    """Its times are compared with live's in the shift, minutes before."""
    aws = world(errors="OK")
    logged(aws, 200, 30, overhead=20.0)
    with pytest.raises(PhaseFailed, match=r"overhead above 15\.\d+ ms \(limit 20 % .*: 100 % of 200"):
        look(aws, record(live_times=times_of_live()))


def test_lines_of_all_looks_count_and_each_once() -> None:
    aws = world(errors="OK")
    shift = record(live_times=times_of_live())
    logged(aws, 300, 30)
    logged(aws, 10, 20, errors=1.0)
    options = Options(bake=Bake(watch_s=60))
    call = request(after_s=30, results=results(shift), options=options)
    first = bake.run(call, aws.as_aws())
    assert "failures: 4.8 % of 210" in first.summary
    last = bake.run(next_call(call, first, after_s=30), aws.as_aws())
    assert last.evidence is not None
    assert [(row.metric, row.hits, row.count) for row in last.evidence.against_record] == [
        ("errors", 10, 310),
        ("overhead_p50", 0, 310),
        ("overhead_p99", 0, 310),
    ]
    assert last.evidence.failures.count("; ") == 2


def test_crashes_have_no_line_and_are_added() -> None:
    aws = failing(200, 2)
    logged(aws, 200, 30)
    result = look(aws, record(), after_s=60)
    assert result.evidence is not None
    assert (result.evidence.against_record[0].hits, result.evidence.against_record[0].count) == (2, 202)


@pytest.mark.parametrize(
    ("shift", "changed", "skips"),
    [
        (ShiftEvidence(version="2"), {}, True),
        (ShiftEvidence(version="2"), {"ThrottleRate": ("10", "20")}, False),
        (ShiftEvidence(from_version="1", version="2"), {}, False),
    ],
)
def test_a_look_skips_the_bake_only_when_users_got_nothing(
    shift: ShiftEvidence, changed: dict[str, tuple[str, str]], skips: bool
) -> None:
    asking = request(results=results(shift, SettingsEvidence(changed=changed)))
    result = bake.unchanged(asking, world().as_aws())
    assert (result is not None) is skips
    assert result is None or result.status is Status.SKIPPED
