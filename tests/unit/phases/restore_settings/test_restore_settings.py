"""Facts about restore_settings: a release's settings come back after a rollback, a failure, an abort and a kill."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from chalicelib.domain.aws.stacks import Change, ChangeSet, Stack, StackResource
from chalicelib.domain.config import AlarmThresholds, Config, Throttle
from chalicelib.domain.errors import PhaseFailed
from chalicelib.domain.evidence.release import RollBackEvidence
from chalicelib.domain.evidence.stack import RestoreEvidence
from chalicelib.domain.model import Action, Applied, Lock, PhaseRecord, PhaseStatus, Release
from chalicelib.domain.names import Names
from chalicelib.engine.phase import Request, Result, Status
from chalicelib.monitoring import alarms
from chalicelib.phases.restore_settings import run as restore_settings
from chalicelib.stack import template

from tests.fakes import FakeAws
from tests.fakes.bundles import TEMPLATE, put_bundle
from tests.fakes.requests import HELD, environment, next_call, request, results
from tests.fakes.standing import stand

NAMES = Names("dev")
READY = ChangeSet("id", "n", "CREATE_COMPLETE", "", "AVAILABLE", (Change("Stage", "AWS::ApiGateway::Stage", "Modify"),))
NOW = {
    "ThrottleRate": "120",
    "ThrottleBurst": "200",
    "LogRetentionDays": "14",
    "CandidateThrottleRate": "100",
    "CandidateThrottleBurst": "200",
    "IntegrationTimeoutMs": "900000",
    "ReservedConcurrency": "",
    "ResponseMode": "stream",
    "SecretArn": "arn:secret",
    "RequestIdHeader": "off",
    "MethodMetrics": "off",
    "Repair": "",
    "RoleMark": "",
    "Environment": "dev",
}
THEN = Config(throttle=Throttle(rate_per_s=100, burst=200), alarms=AlarmThresholds(throttles=3), protected=True)
OUTPUTS = {
    "ApiId": "api1",
    "ApiUrl": "https://api1.example/api",
    "StageName": "api",
    "Snapshot": "ApiDeploymentOld",
    "CandidateSnapshot": "ApiDeploymentOld",
}


def before(config: Config | None = THEN, version: str = "2", **other: Any) -> Release:
    plain = dataclasses.asdict(config) if config else {}
    return Release(version, "d-old", "t", "abc", plain, **({"snapshot": "ApiDeploymentOld"} | other))


def ask(after_s: float = 0, action: Action = Action.ROLLBACK, **changed: Any) -> Request:
    applied = {name: Applied("f", "d", "t", {"kept": name}) for name in ("deploy_stack", "configure_monitoring")}
    stands = environment(**{"live": Release("3", "d", "t"), "previous": before(), "applied": applied} | changed)
    rolled_back = results(RollBackEvidence(version="2"))
    return request(action=action, environment=stands, results=rolled_back, after_s=after_s)


def failed_deploy(**changed: Any) -> Request:
    return ask(action=Action.DEPLOY, **{"live": before(), "last_good": before(), "previous": None} | changed)


def world(**parameters: str) -> FakeAws:
    aws = stand(FakeAws())
    put_bundle(aws.artifacts)
    aws.records.attributes["dev"] = {"lock": dataclasses.asdict(HELD)}
    aws.stacks.add(NAMES.stack, parameters=NOW | parameters, protected=True, outputs=OUTPUTS)
    aws.stacks.owned[NAMES.stack] = [snapshot("ApiDeploymentOld"), snapshot("ApiDeploymentNew")]
    aws.stacks.answers = [READY]
    aws.stacks.applies = True
    topic = aws.topics.ensure(NAMES.topic, {})
    for alarm in alarms.definitions(NAMES, THEN.alarms, stage="api", topic_arn=topic):
        aws.alarms.put(alarm, {})
    return aws


def snapshot(logical_id: str) -> StackResource:
    return StackResource(logical_id, logical_id.lower(), "AWS::ApiGateway::Deployment", "CREATE_COMPLETE")


def stack_of(aws: FakeAws) -> Stack:
    return aws.stacks.standing[NAMES.stack]


def ran(aws: FakeAws, **statuses: PhaseStatus) -> None:
    for name, status in statuses.items():
        aws.records.put_phase("d-new", PhaseRecord(4, name, status))


def to_the_end(aws: FakeAws, current: Request | None = None) -> Result[RestoreEvidence]:
    """Calls again with each cursor, as the state machine does."""
    current = current or ask()
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
    address = dict.fromkeys(template.ADDRESS, "")
    assert stack_of(aws).parameters == NOW | address | {"ThrottleRate": "100"}
    assert aws.stacks.did == ["update change set", "execute"]


def test_the_users_stage_gets_the_releases_snapshot_and_the_candidates_goes() -> None:
    aws = world(ThrottleRate="100")
    aws.stacks.add(
        NAMES.stack,
        parameters=stack_of(aws).parameters,
        protected=True,
        outputs=OUTPUTS | {"Snapshot": "ApiDeploymentNew"},
    )
    result = to_the_end(aws)
    assert evidence(result).restored == {"Snapshot": ("ApiDeploymentNew", "ApiDeploymentOld")}
    assert stack_of(aws).outputs["Snapshot"] == "ApiDeploymentOld"
    assert [resource.logical_id for resource in aws.stacks.owned[NAMES.stack]] == ["ApiDeploymentOld"]


def test_the_template_is_that_of_the_releases_bundle() -> None:
    aws = world()
    put_bundle(aws.artifacts, "bundles/then.zip", TEMPLATE.replace("Default: 512", "Default: 640"))
    to_the_end(aws, ask(previous=before(bundle="bundles/then.zip")))
    assert "Default: 640" in aws.stacks.templates[-1]


def test_a_snapshot_that_is_gone_is_made_anew_under_the_id_of_the_releases_api() -> None:
    aws = world(ThrottleRate="100")
    to_the_end(aws, ask(previous=before(snapshot="ApiDeploymentGone")))
    (made_anew,) = {resource.logical_id for resource in aws.stacks.owned[NAMES.stack]}
    assert made_anew == stack_of(aws).outputs["Snapshot"]
    assert made_anew not in ("ApiDeploymentOld", "ApiDeploymentNew", "ApiDeploymentGone")


def test_a_bundle_that_is_gone_is_replaced_by_todays() -> None:
    aws = world()
    to_the_end(aws, ask(previous=before(bundle="bundles/gone.zip")))
    assert "Default: 512" in aws.stacks.templates[-1]


def test_recorded_parameters_come_back_whatever_the_configuration_says() -> None:
    aws = world()
    to_the_end(aws, ask(previous=before(parameters=NOW | {"ThrottleRate": "90", "ReservedConcurrency": "5"})))
    assert (stack_of(aws).parameters["ThrottleRate"], stack_of(aws).parameters["ReservedConcurrency"]) == ("90", "5")


@pytest.mark.parametrize(("now", "then"), [(True, False), (False, True)])
def test_deletion_protection_goes_back_with_the_release(now: bool, then: bool) -> None:
    aws = world(ThrottleRate="100")
    aws.stacks.protect(NAMES.stack, now)
    to_the_end(aws, ask(previous=before(dataclasses.replace(THEN, protected=then))))
    assert stack_of(aws).protected is then


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


def test_a_version_without_recorded_settings_is_skipped_and_the_summary_says_so() -> None:
    aws = world()
    result = to_the_end(aws, ask(previous=before(None)))
    assert (result.status, aws.stacks.did) == (Status.SKIPPED, [])
    assert "not on record" in result.summary


@pytest.mark.parametrize("status", [PhaseStatus.SUCCEEDED, PhaseStatus.FAILED, PhaseStatus.RUNNING])
@pytest.mark.parametrize("phase", ["deploy_stack", "configure_monitoring", "apply_settings"])
def test_a_failed_deploy_that_had_changed_something_takes_it_back(phase: str, status: PhaseStatus) -> None:
    aws = world()
    ran(aws, **{phase: status})
    to_the_end(aws, failed_deploy())
    assert stack_of(aws).parameters["ThrottleRate"] == "100"


@pytest.mark.parametrize(
    "statuses", [{}, {"deploy_stack": PhaseStatus.SKIPPED}, {"package_artifact": PhaseStatus.FAILED}]
)
def test_a_failed_deploy_that_had_changed_nothing_touches_nothing(statuses: dict[str, PhaseStatus]) -> None:
    aws = world()
    ran(aws, **statuses)
    result = to_the_end(aws, failed_deploy())
    assert (result.status, aws.stacks.did) == (Status.SKIPPED, [])


def test_a_first_release_that_fails_has_nothing_to_go_back_to() -> None:
    aws = world()
    ran(aws, deploy_stack=PhaseStatus.SUCCEEDED)
    result = to_the_end(aws, failed_deploy(live=None, last_good=None))
    assert (result.status, aws.stacks.did) == (Status.SKIPPED, [])


@pytest.mark.parametrize("lock", [None, Lock("d-other", "arn:other", 1.0)])
def test_another_deployments_environment_is_left_alone(lock: Lock | None) -> None:
    aws = world()
    ran(aws, deploy_stack=PhaseStatus.SUCCEEDED)
    result = to_the_end(aws, failed_deploy(lock=lock))
    assert (result.status, aws.stacks.did) == (Status.SKIPPED, [])


def test_a_stack_update_that_was_aborted_half_way_is_waited_for_and_then_undone() -> None:
    aws = world()
    ran(aws, deploy_stack=PhaseStatus.RUNNING)
    aws.stacks.standing[NAMES.stack] = dataclasses.replace(stack_of(aws), status="UPDATE_IN_PROGRESS")
    first = restore_settings.run(failed_deploy(), aws.as_aws())
    assert (first.status, aws.stacks.did) == (Status.IN_PROGRESS, [])
    aws.stacks.standing[NAMES.stack] = dataclasses.replace(stack_of(aws), status="UPDATE_COMPLETE")
    result = to_the_end(aws, next_call(failed_deploy(), first))
    assert evidence(result).restored == {"ThrottleRate": ("120", "100")}


def test_a_rollback_that_got_stuck_is_continued_first() -> None:
    aws = world()
    aws.stacks.standing[NAMES.stack] = dataclasses.replace(stack_of(aws), status="UPDATE_ROLLBACK_FAILED")
    assert restore_settings.run(ask(), aws.as_aws()).status is Status.IN_PROGRESS
    assert aws.stacks.did == ["continue"]


@pytest.mark.parametrize("why", ["refused", "needs a person", "late"])
def test_a_stack_that_cannot_be_updated_fails_naming_the_users_version_and_what_stays(why: str) -> None:
    aws = world()
    if why == "refused":
        aws.stacks.answers = [ChangeSet("id", "n", "FAILED", "no permission", "UNAVAILABLE")]
    if why == "needs a person":
        aws.stacks.standing[NAMES.stack] = dataclasses.replace(stack_of(aws), status="IMPORT_ROLLBACK_FAILED")
    with pytest.raises(PhaseFailed) as failed:
        restore_settings.run(ask(after_s=3601 if why == "late" else 0), aws.as_aws())
    assert failed.value.code == "SettingsNotRestored"
    assert "users are on version 2, but the stack still has ThrottleRate 120 (it ran with 100)" in failed.value.message
    assert failed.value.remedy
    assert failed.value.evidence["stays"] == {"ThrottleRate": ("120", "100")}


def test_the_wait_for_the_stack_ends_after_an_hour() -> None:
    aws = world()
    aws.stacks.standing[NAMES.stack] = dataclasses.replace(stack_of(aws), status="UPDATE_IN_PROGRESS")
    assert restore_settings.run(ask(after_s=3600), aws.as_aws()).status is Status.IN_PROGRESS
    with pytest.raises(PhaseFailed, match="60 minutes"):
        restore_settings.run(ask(after_s=3601), aws.as_aws())


A, B, C = (f"arn:aws:sqs:eu-central-1:123456789012:{name}" for name in "abc")


def with_recipients(aws: FakeAws, *recipients: str) -> str:
    topic = aws.topics.ensure(NAMES.topic, {})
    for recipient in recipients:
        aws.topics.subscribe(topic, "sqs", recipient)
    return topic


@pytest.mark.parametrize("now", [(A, B, C), (B, C), (C,), ()], ids=["added", "exchanged", "all others", "none"])
@pytest.mark.parametrize("action", [Action.DEPLOY, Action.ROLLBACK])
def test_the_alarms_recipients_are_the_releases_again(action: Action, now: tuple[str, ...]) -> None:
    """A deploy that changed them ended, or the release is another one by now."""
    aws, good = world(), before(dataclasses.replace(THEN, notify=(A, B)))
    topic = with_recipients(aws, *now)
    current = failed_deploy(live=good, last_good=good) if action is Action.DEPLOY else ask(previous=good)
    aws.records.put_phase("d-new", PhaseRecord(5, "configure_monitoring", PhaseStatus.SUCCEEDED))
    result = to_the_end(aws, current)
    assert set(aws.topics.subscribers(topic)) == {A, B}
    for who in {A, B} - set(now):
        assert f"{who} gets alarms again" in result.summary
    if C in now:
        assert f"{C} gets no alarms any more" in result.summary


def test_a_record_that_does_not_say_who_the_recipients_are_takes_nobody_off() -> None:
    aws = world()
    topic = with_recipients(aws, A)
    good = dataclasses.replace(before(), config={"memory_mb": 256})
    to_the_end(aws, ask(previous=good))
    assert set(aws.topics.subscribers(topic)) == {A}
