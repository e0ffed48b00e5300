"""The new version is watched; one alarm is enough to end it."""

from __future__ import annotations

import pytest
from chalicelib.domain.config import Bake, Options
from chalicelib.domain.errors import PhaseFailed
from chalicelib.engine.phase import Request, Status
from chalicelib.phases.bake import run as bake

from tests.fakes import FakeAws
from tests.fakes.requests import request

SHIFTED = {"shift_traffic": {"from_version": "1", "version": "2"}}


def asked(after_s: float, looks: int = 0) -> Request:
    cursor = {"looks": looks} if looks else {}
    return request(after_s=after_s, results=SHIFTED, options=Options(bake=Bake(watch_s=60)), cursor=cursor)


def world(**states: str) -> FakeAws:
    aws = FakeAws()
    aws.alarms.states = {f"proxyctl/dev/{name}": state for name, state in states.items()}
    return aws


def test_quiet_alarms_are_watched_until_the_time_is_over() -> None:
    aws = world(errors="OK", latency="INSUFFICIENT_DATA").as_aws()
    first = bake.run(asked(0), aws)
    assert (first.status, first.poll_after_s) == (Status.IN_PROGRESS, 30)
    last = bake.run(asked(60, looks=2), aws)
    assert last.status is Status.SUCCEEDED
    assert last.evidence["looks"] == 3
    assert last.evidence["without_data"] == ["proxyctl/dev/latency"]


def test_one_firing_alarm_ends_the_bake_even_at_its_last_look() -> None:
    with pytest.raises(PhaseFailed) as ended:
        bake.run(asked(60), world(errors="ALARM", latency="OK").as_aws())
    assert ended.value.code == "AlarmFired"
    assert ended.value.evidence == {"alarms": ["proxyctl/dev/errors"]}


def test_an_alarm_of_another_environment_does_not_count() -> None:
    aws = FakeAws()
    aws.alarms.states = {"proxyctl/dev/errors": "OK", "proxyctl/dev-2/errors": "ALARM"}
    assert bake.run(asked(60), aws.as_aws()).status is Status.SUCCEEDED


def test_without_alarms_nothing_would_be_proved() -> None:
    with pytest.raises(PhaseFailed) as ended:
        bake.run(asked(60), world().as_aws())
    assert ended.value.code == "NoAlarms"


def test_without_a_shift_there_is_nothing_to_watch() -> None:
    assert bake.run(request(results={}), world(errors="OK").as_aws()).status is Status.SKIPPED
