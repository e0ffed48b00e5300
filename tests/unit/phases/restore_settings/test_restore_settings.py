"""A rollback that somebody asks for takes back what the release ran with beside its version; what stays is told."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from chalicelib.domain.aws.stacks import Change, ChangeSet
from chalicelib.domain.config import AlarmThresholds, Config, Throttle
from chalicelib.domain.errors import PhaseFailed
from chalicelib.domain.model import Action, Applied, Release
from chalicelib.domain.names import Names
from chalicelib.engine.phase import Request, Result, Status
from chalicelib.monitoring import alarms
from chalicelib.phases.restore_settings import run as restore_settings

from tests.fakes import FakeAws
from tests.fakes.requests import HELD, environment, request

NAMES = Names("dev")
READY = ChangeSet("id", "n", "CREATE_COMPLETE", "", "AVAILABLE", (Change("Stage", "AWS::ApiGateway::Stage", "Modify"),))
NOW = {
    "ThrottleRate": "120",
    "ThrottleBurst": "200",
    "LogRetentionDays": "14",
    "IntegrationTimeoutMs": "29000",
    "ReservedConcurrency": "",
    "ResponseMode": "stream",
    "SecretArn": "arn:secret",
}
THEN = Config(throttle=Throttle(rate_per_s=100, burst=200), alarms=AlarmThresholds(throttles=3))


def before(config: Config | None = THEN, version: str = "2") -> Release:
    return Release(version, "d-old", "t", "abc", dataclasses.asdict(config) if config else {})


def asked(cursor: Any = None, after_s: float = 0, **known: Any) -> Request:
    applied = {name: Applied("f", "d", "t", {"kept": name}) for name in ("deploy_stack", "configure_monitoring")}
    stands = environment(**{"live": Release("3", "d", "t"), "previous": before(), "applied": applied} | known)
    results = {"roll_back": {"version": "2"}}
    return request(action=Action.ROLLBACK, environment=stands, results=results, cursor=cursor or {}, after_s=after_s)


def world(**parameters: str) -> FakeAws:
    aws = FakeAws()
    aws.records.attributes["dev"] = {"lock": dataclasses.asdict(HELD)}
    aws.stacks.add(NAMES.stack, parameters=NOW | parameters, protected=True)
    aws.stacks.answers = [READY]
    topic = aws.topics.ensure(NAMES.topic, {})
    for alarm in alarms.definitions(NAMES, THEN.alarms, stage="api", topic_arn=topic):
        aws.alarms.put(alarm, {})
    return aws


def to_the_end(aws: FakeAws, **known: Any) -> Result:
    """Call after call, as the state machine does."""
    result = restore_settings.run(asked(**known), aws.as_aws())
    for _ in range(9):
        if result.status is not Status.IN_PROGRESS:
            return result
        result = restore_settings.run(asked(result.cursor, **known), aws.as_aws())
    raise AssertionError("it does not end")


def test_the_throttle_goes_back_and_everything_else_of_the_stack_stays() -> None:
    aws = world()
    result = to_the_end(aws)
    assert result.evidence["restored"] == {"ThrottleRate": ["120", "100"]}
    assert "ThrottleRate 120 -> 100" in result.summary
    given = aws.stacks.given[NAMES.stack]
    assert {name: value for name, value in given.items() if value is not None} == {"ThrottleRate": "100"}
    assert set(given) == set(NOW)
    assert aws.stacks.templates == ["the previous one"]
    assert aws.stacks.did == ["update change set", "execute"]


def test_the_next_deploy_does_not_skip_what_was_made_from_other_settings_but_what_it_made_is_still_known() -> None:
    aws = world()
    to_the_end(aws)
    kept = aws.records.environment("dev").applied
    assert {name: one.evidence for name, one in kept.items()} == {
        name: {"kept": name} for name in ("deploy_stack", "configure_monitoring")
    }
    assert all(one.fingerprint != "f" for one in kept.values())


def test_alarms_ring_at_the_thresholds_of_then() -> None:
    aws = world(ThrottleRate="100")
    topic = aws.topics.ensure(NAMES.topic, {})
    for alarm in alarms.definitions(NAMES, AlarmThresholds(throttles=9), stage="api", topic_arn=topic):
        aws.alarms.put(alarm, {})
    result = to_the_end(aws)
    (put_back,) = aws.alarms.find(NAMES.alarm("throttles"))
    assert put_back.definition is not None
    assert put_back.definition.threshold == 3
    assert result.evidence["alarms"] == 1
    assert aws.stacks.did == []


def test_where_nothing_differs_nothing_is_touched() -> None:
    aws = world(ThrottleRate="100")
    result = to_the_end(aws)
    assert (result.status, aws.stacks.did) == (Status.SKIPPED, [])


def test_what_only_a_deploy_can_take_back_is_told() -> None:
    aws = world(ThrottleRate="100", IntegrationTimeoutMs="60000", ReservedConcurrency="5")
    result = to_the_end(aws)
    assert result.evidence["stays"] == {"IntegrationTimeoutMs": ["60000", "29000"], "ReservedConcurrency": ["5", ""]}
    assert "NOT taken back" in result.summary


def test_of_a_version_without_a_record_it_is_told_that_its_settings_are_not_known() -> None:
    aws = world()
    result = to_the_end(aws, previous=before(None))
    assert (result.status, aws.stacks.did) == (Status.SKIPPED, [])
    assert "not on record" in result.summary


def test_a_stack_that_someone_else_changes_is_waited_for() -> None:
    aws = world()
    aws.stacks.add(NAMES.stack, "UPDATE_IN_PROGRESS", parameters=NOW)
    result = restore_settings.run(asked(), aws.as_aws())
    assert (result.status, aws.stacks.did) == (Status.IN_PROGRESS, [])


@pytest.mark.parametrize("why", ["refused", "stuck", "late"])
def test_when_the_stack_cannot_follow_it_is_said_where_users_are_and_what_stays(why: str) -> None:
    aws = world()
    if why == "refused":
        aws.stacks.answers = [ChangeSet("id", "n", "FAILED", "no permission", "UNAVAILABLE")]
    if why == "stuck":
        aws.stacks.add(NAMES.stack, "UPDATE_ROLLBACK_FAILED", parameters=NOW)
    with pytest.raises(PhaseFailed) as failed:
        restore_settings.run(asked(after_s=3600 if why == "late" else 0), aws.as_aws())
    assert failed.value.code == "SettingsNotRestored"
    assert "users are on version 2, but the stack still has ThrottleRate 120 (it ran with 100)" in failed.value.message
    assert failed.value.remedy
    assert failed.value.evidence["stays"] == {"ThrottleRate": ["120", "100"]}


def test_deletion_protection_stays_as_someone_switched_it() -> None:
    aws = world()
    to_the_end(aws)
    assert not [one for one in aws.stacks.did if one.startswith("protect")]
