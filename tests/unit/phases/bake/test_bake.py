"""The new version is watched; one alarm is enough to end it."""

from __future__ import annotations

import pytest
from chalicelib.domain.errors import PhaseFailed
from chalicelib.domain.evidence.release import BakeEvidence, ShiftEvidence
from chalicelib.domain.evidence.stack import SettingsEvidence
from chalicelib.domain.options import Bake, Options
from chalicelib.engine.phase import Request, Results, Status
from chalicelib.phases.bake import run as bake
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes import FakeAws
from tests.fakes.requests import next_call, request, results

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


@settings(max_examples=25, deadline=None)
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
    ("changed", "status"), [({"ThrottleRate": ("80", "20")}, Status.IN_PROGRESS), ({}, Status.SKIPPED)]
)
def test_settings_that_changed_for_users_are_watched_although_the_version_stayed(
    changed: dict[str, tuple[str, str]], status: Status
) -> None:
    settings = results(ShiftEvidence(version="2"), SettingsEvidence(changed=changed))
    current = request(results=settings, options=Options(bake=Bake(watch_s=60)))
    assert bake.run(current, world(errors="OK").as_aws()).status is status
