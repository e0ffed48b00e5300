"""Facts about apply_settings: what users get with the shift, and when there is nothing to give."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from chalicelib.domain.aws.stacks import Change, ChangeSet, StackResource
from chalicelib.domain.config import AlarmThresholds, Config, Throttle
from chalicelib.domain.errors import PhaseFailed
from chalicelib.domain.evidence.artifact import ArtifactEvidence
from chalicelib.domain.evidence.secret import SecretEvidence
from chalicelib.domain.evidence.stack import SettingsEvidence
from chalicelib.domain.model import Release
from chalicelib.domain.names import Names
from chalicelib.engine.phase import Request, Result, Status
from chalicelib.monitoring import alarms
from chalicelib.phases.apply_settings import run as apply_settings

from tests.fakes import FakeAws
from tests.fakes.bundles import put_bundle
from tests.fakes.requests import environment, next_call, request, results
from tests.fakes.standing import stand

NAMES = Names("dev")
READY = ChangeSet("id", "n", "CREATE_COMPLETE", "", "AVAILABLE", (Change("Stage", "AWS::ApiGateway::Stage", "Modify"),))
USERS = Config(throttle=Throttle(80, 160))
NEW = Config(throttle=Throttle(20, 40), alarms=AlarmThresholds(throttles=3), protected=True)
RESULTS = results(SecretEvidence(arn="arn:secret", version_id="v1"), ArtifactEvidence(key="artifacts/dev/abc.zip"))


def ask(config: Config = NEW, **other: Any) -> Request:
    good = Release("2", "d-old", "t", "abc", dataclasses.asdict(USERS), snapshot="ApiDeploymentOld")
    stands = environment(live=good, last_good=good)
    return request(environment=stands, config=config, results=RESULTS, **other)


def world() -> FakeAws:
    """What deploy_stack leaves: the candidate has its limits and its snapshot, users have theirs."""
    aws = stand(FakeAws())
    put_bundle(aws.artifacts)
    outputs = {
        "ApiId": "api1",
        "StageName": "api",
        "ApiUrl": "https://api1.example/api",
        "Snapshot": "ApiDeploymentOld",
    }
    parameters = {"ThrottleRate": "80", "ThrottleBurst": "160", "ReservedConcurrency": "", "ResponseMode": "stream"}
    aws.stacks.add(NAMES.stack, outputs=outputs, parameters=parameters)
    owned = StackResource("ApiDeploymentOld", "d1", "AWS::ApiGateway::Deployment", "CREATE_COMPLETE")
    aws.stacks.owned[NAMES.stack] = [owned]
    aws.stacks.answers = [READY]
    aws.stacks.applies = True
    topic = aws.topics.ensure(NAMES.topic, {})
    for alarm in alarms.definitions(NAMES, USERS.alarms, stage="api", topic_arn=topic):
        aws.alarms.put(alarm, {})
    return aws


def to_the_end(aws: FakeAws, config: Config = NEW) -> Result[SettingsEvidence]:
    current = ask(config)
    for _ in range(9):
        result = apply_settings.run(current, aws.as_aws())
        if result.status is not Status.IN_PROGRESS:
            return result
        current = next_call(current, result)
    raise AssertionError("it does not end")


def evidence(result: Result[SettingsEvidence]) -> SettingsEvidence:
    assert result.evidence is not None
    return result.evidence


def test_users_get_throttle_snapshot_protection_and_alarms() -> None:
    aws = world()
    applied = evidence(to_the_end(aws))
    stack = aws.stacks.standing[NAMES.stack]
    assert (stack.parameters["ThrottleRate"], stack.parameters["ThrottleBurst"]) == ("20", "40")
    assert stack.outputs["Snapshot"] == stack.outputs["CandidateSnapshot"] == applied.snapshot != "ApiDeploymentOld"
    assert stack.protected
    (threshold,) = aws.alarms.find(NAMES.alarm("throttles"))
    assert threshold.definition is not None
    assert threshold.definition.threshold == 3
    assert applied.changed["ThrottleRate"] == ("80", "20")
    assert applied.changed["protected"] == ("false", "true")
    assert applied.alarms == (NAMES.alarm("throttles"),)


def test_the_snapshot_that_users_had_stays_in_the_stack_for_a_rollback() -> None:
    aws = world()
    to_the_end(aws)
    assert "ApiDeploymentOld" in {resource.logical_id for resource in aws.stacks.owned[NAMES.stack]}


def test_the_evidence_holds_what_a_rollback_needs() -> None:
    aws = world()
    applied = evidence(to_the_end(aws))
    assert applied.bundle == aws.settings.bundle_key
    assert applied.parameters == aws.stacks.standing[NAMES.stack].parameters


def test_a_second_run_changes_nothing_and_says_so() -> None:
    aws = world()
    to_the_end(aws)
    aws.stacks.did.clear()
    result = to_the_end(aws)
    assert (result.status, aws.stacks.did) == (Status.SKIPPED, [])
    assert evidence(result).snapshot


def test_protection_alone_needs_no_change_set() -> None:
    aws = world()
    to_the_end(aws)
    aws.stacks.did.clear()
    result = to_the_end(aws, dataclasses.replace(NEW, protected=False))
    assert (result.status, aws.stacks.did) == (Status.SUCCEEDED, ["protect False"])


def test_another_operation_is_waited_for_and_then_the_change_begins() -> None:
    aws = world()
    aws.stacks.standing[NAMES.stack] = dataclasses.replace(
        aws.stacks.standing[NAMES.stack], status="UPDATE_IN_PROGRESS"
    )
    first = apply_settings.run(ask(), aws.as_aws())
    assert (first.status, aws.stacks.did) == (Status.IN_PROGRESS, [])
    aws.stacks.standing[NAMES.stack] = dataclasses.replace(aws.stacks.standing[NAMES.stack], status="UPDATE_COMPLETE")
    apply_settings.run(next_call(ask(), first), aws.as_aws())
    assert aws.stacks.did == ["update change set", "execute"]


def test_a_change_set_of_an_earlier_phase_is_deleted_so_that_no_late_lambda_executes_it() -> None:
    aws = world()
    aws.stacks.planned = {"proxyctl-deploy-d-new": dataclasses.replace(READY, name="proxyctl-deploy-d-new")}
    apply_settings.run(ask(), aws.as_aws())
    assert aws.stacks.did[0] == "delete change set proxyctl-deploy-d-new"


@pytest.mark.parametrize(("after_s", "late"), [(3600, False), (3601, True)])
def test_the_wait_ends_after_an_hour(after_s: int, late: bool) -> None:
    aws = world()
    if not late:
        assert apply_settings.run(ask(after_s=after_s), aws.as_aws()).status is Status.IN_PROGRESS
        return
    with pytest.raises(PhaseFailed) as failed:
        apply_settings.run(ask(after_s=after_s), aws.as_aws())
    assert failed.value.code == "StackTimeout"


def test_a_refused_change_set_fails_with_cloudformations_reason() -> None:
    aws = world()
    aws.stacks.answers = [ChangeSet("id", "n", "FAILED", "no permission", "UNAVAILABLE")]
    with pytest.raises(PhaseFailed, match="no permission"):
        to_the_end(aws)


def test_a_look_finds_what_a_second_run_finds_without_a_write() -> None:
    aws = world()
    assert apply_settings.unchanged(ask(), aws.as_aws()) is None
    to_the_end(aws)
    aws.stacks.did.clear()
    result = apply_settings.unchanged(ask(), aws.as_aws())
    assert result == to_the_end(aws)
    assert aws.stacks.did == []


@pytest.mark.parametrize("spoil", ["protection", "alarm", "busy", "alias"])
def test_a_look_sees_what_a_run_would_put_right(spoil: str) -> None:
    aws = world()
    to_the_end(aws)
    stack = aws.stacks.standing[NAMES.stack]
    if spoil == "protection":
        aws.stacks.protect(NAMES.stack, False)
    elif spoil == "alarm":
        aws.alarms.delete([NAMES.alarm("throttles")])
    elif spoil == "busy":
        aws.stacks.standing[NAMES.stack] = dataclasses.replace(stack, status="UPDATE_IN_PROGRESS")
    else:
        del aws.functions.pointed[NAMES.function]["live"]
    assert apply_settings.unchanged(ask(), aws.as_aws()) is None


A, B, C = (f"arn:aws:sqs:eu-central-1:123456789012:{name}" for name in "abc")
PROBE = "arn:aws:sqs:eu-central-1:123456789012:proxyctl_dev_probe_d-other"


def subscribed(aws: FakeAws, *recipients: str) -> str:
    topic = aws.topics.ensure(NAMES.topic, {})
    for recipient in recipients:
        aws.topics.subscribe(topic, "sqs", recipient)
    return topic


def test_recipients_of_the_release_before_get_no_alarms_any_more_from_here_on() -> None:
    aws = world()
    topic = subscribed(aws, A, B, C, PROBE)
    result = to_the_end(aws, dataclasses.replace(NEW, notify=(B, C)))
    assert set(aws.topics.subscribers(topic)) == {B, C, PROBE}
    assert f"{A} gets no alarms any more" in result.summary


def test_a_recipient_that_was_unsubscribed_meanwhile_is_subscribed_again() -> None:
    aws = world()
    topic = subscribed(aws, B)
    result = to_the_end(aws, dataclasses.replace(NEW, notify=(B, C)))
    assert set(aws.topics.subscribers(topic)) == {B, C}
    assert f"{C} gets alarms again" in result.summary


@pytest.mark.parametrize(("recipients", "is_unchanged"), [((A,), True), ((A, B), False), ((), False)])
def test_other_recipients_are_a_change_of_settings(recipients: tuple[str, ...], is_unchanged: bool) -> None:
    aws = world()
    wanted = dataclasses.replace(NEW, notify=(A,))
    to_the_end(aws, wanted)
    topic = aws.topics.ensure(NAMES.topic, {})
    aws.topics.kept[topic] = {}
    subscribed(aws, *recipients)
    assert (apply_settings.unchanged(ask(wanted), aws.as_aws()) is not None) == is_unchanged
