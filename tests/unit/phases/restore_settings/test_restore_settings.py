"""Facts about restore_settings: what goes back with a rollback, and that the summary names what does not."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from chalicelib.domain.aws.stacks import Change, ChangeSet
from chalicelib.domain.config import AlarmThresholds, Config, Throttle
from chalicelib.domain.errors import PhaseFailed
from chalicelib.domain.evidence.release import RollBackEvidence
from chalicelib.domain.evidence.stack import RestoreEvidence
from chalicelib.domain.model import Action, Applied, Release
from chalicelib.domain.names import Names
from chalicelib.engine.phase import Request, Result, Status
from chalicelib.monitoring import alarms
from chalicelib.phases.restore_settings import run as restore_settings

from tests.fakes import FakeAws
from tests.fakes.requests import HELD, environment, next_call, request, results

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


def ask(after_s: float = 0, **changed: Any) -> Request:
    applied = {name: Applied("f", "d", "t", {"kept": name}) for name in ("deploy_stack", "configure_monitoring")}
    stands = environment(**{"live": Release("3", "d", "t"), "previous": before(), "applied": applied} | changed)
    rolled_back = results(RollBackEvidence(version="2"))
    return request(action=Action.ROLLBACK, environment=stands, results=rolled_back, after_s=after_s)


def world(**parameters: str) -> FakeAws:
    aws = FakeAws()
    aws.records.attributes["dev"] = {"lock": dataclasses.asdict(HELD)}
    aws.stacks.add(NAMES.stack, parameters=NOW | parameters, protected=True)
    aws.stacks.answers = [READY]
    topic = aws.topics.ensure(NAMES.topic, {})
    for alarm in alarms.definitions(NAMES, THEN.alarms, stage="api", topic_arn=topic):
        aws.alarms.put(alarm, {})
    return aws


def to_the_end(aws: FakeAws, **changed: Any) -> Result[RestoreEvidence]:
    """Calls again with each cursor, as the state machine does."""
    current = ask(**changed)
    for _ in range(9):
        result = restore_settings.run(current, aws.as_aws())
        if result.status is not Status.IN_PROGRESS:
            return result
        current = next_call(current, result)
    raise AssertionError("it does not end")


def evidence(result: Result[RestoreEvidence]) -> RestoreEvidence:
    assert result.evidence is not None
    return result.evidence


def test_the_throttle_goes_back_and_everything_else_of_the_stack_stays() -> None:
    aws = world()
    result = to_the_end(aws)
    assert evidence(result).restored == {"ThrottleRate": ("120", "100")}
    assert "ThrottleRate 120 -> 100" in result.summary
    parameters = aws.stacks.given[NAMES.stack]
    assert {name: value for name, value in parameters.items() if value is not None} == {"ThrottleRate": "100"}
    assert set(parameters) == set(NOW)
    assert aws.stacks.templates == ["the previous one"]
    assert aws.stacks.did == ["update change set", "execute"]


def test_the_next_deploy_runs_the_outdated_phases_again_and_their_evidence_stays() -> None:
    aws = world()
    to_the_end(aws)
    applied = aws.records.environment("dev").applied
    assert {name: phase.evidence for name, phase in applied.items()} == {
        name: {"kept": name} for name in ("deploy_stack", "configure_monitoring")
    }
    assert all(phase.fingerprint != "f" for phase in applied.values())


def test_alarms_get_the_thresholds_of_the_release() -> None:
    aws = world(ThrottleRate="100")
    topic = aws.topics.ensure(NAMES.topic, {})
    for alarm in alarms.definitions(NAMES, AlarmThresholds(throttles=9), stage="api", topic_arn=topic):
        aws.alarms.put(alarm, {})
    result = to_the_end(aws)
    (restored,) = aws.alarms.find(NAMES.alarm("throttles"))
    assert restored.definition is not None
    assert restored.definition.threshold == 3
    assert evidence(result).alarms == 1
    assert aws.stacks.did == []


def test_where_nothing_differs_nothing_is_changed() -> None:
    aws = world(ThrottleRate="100")
    result = to_the_end(aws)
    assert (result.status, aws.stacks.did) == (Status.SKIPPED, [])


def test_the_summary_names_what_only_a_deploy_can_restore() -> None:
    aws = world(ThrottleRate="100", IntegrationTimeoutMs="60000", ReservedConcurrency="5")
    result = to_the_end(aws)
    assert evidence(result).stays == {"IntegrationTimeoutMs": ("60000", "29000"), "ReservedConcurrency": ("5", "")}
    assert "NOT restored" in result.summary


def test_a_version_without_recorded_settings_is_skipped_and_the_summary_says_so() -> None:
    aws = world()
    result = to_the_end(aws, previous=before(None))
    assert (result.status, aws.stacks.did) == (Status.SKIPPED, [])
    assert "not on record" in result.summary


def test_a_stack_that_someone_else_changes_is_waited_for() -> None:
    aws = world()
    aws.stacks.add(NAMES.stack, "UPDATE_IN_PROGRESS", parameters=NOW)
    result = restore_settings.run(ask(), aws.as_aws())
    assert (result.status, aws.stacks.did) == (Status.IN_PROGRESS, [])


@pytest.mark.parametrize("why", ["refused", "stuck", "late"])
def test_a_stack_that_cannot_be_updated_fails_naming_the_users_version_and_what_stays(why: str) -> None:
    aws = world()
    if why == "refused":
        aws.stacks.answers = [ChangeSet("id", "n", "FAILED", "no permission", "UNAVAILABLE")]
    if why == "stuck":
        aws.stacks.add(NAMES.stack, "UPDATE_ROLLBACK_FAILED", parameters=NOW)
    with pytest.raises(PhaseFailed) as failed:
        restore_settings.run(ask(after_s=3600 if why == "late" else 0), aws.as_aws())
    assert failed.value.code == "SettingsNotRestored"
    assert "users are on version 2, but the stack still has ThrottleRate 120 (it ran with 100)" in failed.value.message
    assert failed.value.remedy
    assert failed.value.evidence["stays"] == {"ThrottleRate": ("120", "100")}


def test_deletion_protection_stays_as_it_is() -> None:
    aws = world()
    to_the_end(aws)
    assert not [operation for operation in aws.stacks.did if operation.startswith("protect")]


def test_the_wait_for_the_stack_ends_after_15_minutes() -> None:
    aws = world()
    aws.stacks.add(NAMES.stack, "UPDATE_IN_PROGRESS", parameters=NOW)
    assert restore_settings.run(ask(after_s=900), aws.as_aws()).status is Status.IN_PROGRESS
    with pytest.raises(PhaseFailed, match="15 minutes"):
        restore_settings.run(ask(after_s=901), aws.as_aws())


def test_what_differed_before_the_update_is_still_in_the_evidence_after_it() -> None:
    """The stack has the restored value by then, so the cursor carries the earlier one."""
    aws = world()
    first = restore_settings.run(ask(), aws.as_aws())
    aws.stacks.add(NAMES.stack, parameters=NOW | {"ThrottleRate": "100"}, protected=True)
    last = restore_settings.run(next_call(ask(), first), aws.as_aws())
    assert (last.status, evidence(last).restored) == (Status.SUCCEEDED, {"ThrottleRate": ("120", "100")})
