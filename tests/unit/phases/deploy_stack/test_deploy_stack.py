"""Facts about deploy_stack: what it does with a stack in each state, and what it refuses."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

import pytest
from chalicelib.domain.aws.stacks import Change, ChangeSet, StackEvent, StackResource
from chalicelib.domain.config import Config, Throttle
from chalicelib.domain.errors import PhaseFailed
from chalicelib.domain.evidence.artifact import ArtifactEvidence
from chalicelib.domain.evidence.secret import SecretEvidence
from chalicelib.domain.evidence.stack import StackEvidence
from chalicelib.domain.options import Options
from chalicelib.engine.phase import Request, Result, Status
from chalicelib.phases.deploy_stack import run as deploy_stack
from chalicelib.stack import template
from chalicelib.stack.state import STATES, Move, next_move

from tests.fakes import FakeAws
from tests.fakes.bundles import TEMPLATE as PROXY
from tests.fakes.bundles import put_bundle
from tests.fakes.requests import HELD, environment, next_call, release, request, results
from tests.fakes.stacks import EMPTY
from tests.fakes.standing import stand

STACK = "proxyctl-env-dev"
TEMPLATE = "Resources:\n  # api: begin\n  Api: {}\n  # api: end\n  ApiDeploymentSnapshot: {}\n"
SECRET = SecretEvidence(arn="arn:secret", version_id="v1")
RESULTS = results(SECRET, ArtifactEvidence(key="artifacts/dev/abc.zip"))
CHANGED = ChangeSet(
    "id",
    "n",
    "CREATE_COMPLETE",
    "",
    "AVAILABLE",
    (Change("Stage", "AWS::ApiGateway::Stage", "Modify", "False", "", ("MethodSettings",)),),
)


def aws(text: str = TEMPLATE) -> FakeAws:
    fake = FakeAws()
    put_bundle(fake.artifacts, template=text)
    stand(fake)
    return fake


def ask(**other: Any) -> Request:
    defaults: dict[str, Any] = {"environment": environment(), "results": RESULTS}
    return request(**defaults | other)


def to_the_end(first: Request, fake: FakeAws, calls: int = 20) -> StackEvidence:
    """Calls again with each cursor, as the state machine does; the evidence at the end."""
    current = first
    for _ in range(calls):
        result = deploy_stack.run(current, fake.as_aws())
        if result.status is not Status.IN_PROGRESS:
            assert result.status is Status.SUCCEEDED
            return evidence(result)
        assert result.poll_after_s >= 1
        current = next_call(current, result)
    raise AssertionError(f"not at its end after {calls} calls: {result.summary}")


def evidence(result: Result[StackEvidence]) -> StackEvidence:
    assert result.evidence is not None
    return result.evidence


def test_a_first_deploy_creates_and_gives_every_parameter() -> None:
    fake = aws()
    fake.stacks.answers = [CHANGED]
    fake.stacks.walks = {"execute": ["REVIEW_IN_PROGRESS", "CREATE_IN_PROGRESS", "CREATE_COMPLETE"]}
    result = to_the_end(ask(), fake)
    assert fake.stacks.did == ["create change set", "execute"]
    assert None not in fake.stacks.given[STACK].values()
    assert result.api_url == "https://api1.example/api"
    assert result.base_url == "https://api1.example/api/v1"


def test_releases_of_a_deleted_function_are_removed_from_the_record_before_a_new_function_numbers_its_versions() -> (
    None
):
    fake = aws()
    releases = {"live": dataclasses.asdict(release("2")), "last_good": dataclasses.asdict(release("2"))}
    fake.records.attributes["dev"] = {"lock": dataclasses.asdict(HELD), **releases}
    fake.stacks.answers = [CHANGED]
    fake.stacks.walks = {"execute": ["CREATE_COMPLETE"]}
    to_the_end(ask(environment=fake.records.environment("dev")), fake)
    recorded = fake.records.environment("dev")
    assert (recorded.good, recorded.status) == ((), "NEVER_LIVE")


def test_an_update_leaves_code_and_function_settings_to_release_code() -> None:
    fake = aws()
    fake.stacks.add(STACK)
    to_the_end(ask(), fake)
    kept = {name for name, value in fake.stacks.given[STACK].items() if value is None}
    assert kept == {"ArtifactBucket", "ArtifactKey", "MemorySize", "TimeoutSeconds", "LogLevel", "SecretTtlSeconds"}


def test_an_empty_change_set_is_deleted_and_means_nothing_to_change() -> None:
    fake = aws()
    fake.stacks.add(STACK)
    result = deploy_stack.run(ask(), fake.as_aws())
    assert (result.status, result.summary.split(":")[0]) == (Status.SUCCEEDED, "Nothing to change")
    assert fake.stacks.did == ["update change set", "delete change set proxyctl-deploy-d-new"]


def test_a_change_set_that_is_still_being_made_is_waited_for() -> None:
    fake = aws()
    fake.stacks.add(STACK)
    pending = ChangeSet("id", "n", "CREATE_IN_PROGRESS")
    fake.stacks.answers = [pending, pending, EMPTY]
    assert to_the_end(ask(), fake).status == "UPDATE_COMPLETE"


def test_a_refused_change_set_names_cloudformations_reason_and_is_removed() -> None:
    fake = aws()
    fake.stacks.add(STACK)
    fake.stacks.answers = [ChangeSet("id", "n", "FAILED", "Unresolved resource dependency [Nobody]", "UNAVAILABLE")]
    with pytest.raises(PhaseFailed, match="Unresolved resource dependency") as caught:
        to_the_end(ask(), fake)
    assert caught.value.code == "ChangeSetFailed"
    assert fake.stacks.planned == {}


# By state: the states that follow each operation, in order, and the operations that must have been done.
EXAMPLES: dict[str, tuple[dict[str, list[str]], list[str]]] = {
    "CREATE_COMPLETE": ({}, ["update change set", "execute"]),
    "UPDATE_COMPLETE": ({}, ["update change set", "execute"]),
    "UPDATE_ROLLBACK_COMPLETE": ({}, ["update change set", "execute"]),
    "UPDATE_FAILED": ({}, ["update change set", "execute"]),
    "IMPORT_COMPLETE": ({}, ["update change set", "execute"]),
    "IMPORT_ROLLBACK_COMPLETE": ({}, ["update change set", "execute"]),
    "REVIEW_IN_PROGRESS": ({}, ["create change set", "execute"]),
    "ROLLBACK_COMPLETE": (
        {"delete": ["DELETE_IN_PROGRESS", "DELETE_COMPLETE"]},
        ["delete", "create change set", "execute"],
    ),
    "ROLLBACK_FAILED": ({"delete": ["DELETE_COMPLETE"]}, ["delete", "create change set", "execute"]),
    "CREATE_FAILED": ({"delete": ["DELETE_COMPLETE"]}, ["delete", "create change set", "execute"]),
    "DELETE_FAILED": (
        {"delete": ["DELETE_IN_PROGRESS", "DELETE_COMPLETE"]},
        ["delete", "create change set", "execute"],
    ),
    "UPDATE_ROLLBACK_FAILED": (
        {"continue": ["UPDATE_ROLLBACK_IN_PROGRESS", "UPDATE_ROLLBACK_COMPLETE"]},
        ["continue", "update change set", "execute"],
    ),
}


@pytest.mark.parametrize("status", sorted(EXAMPLES))
def test_a_stack_in_any_state_that_can_be_settled_is_deployed_to(status: str) -> None:
    walks, did = EXAMPLES[status]
    fake = aws()
    fake.stacks.add(STACK, status)
    fake.stacks.answers = [CHANGED]
    fake.stacks.walks = {**walks, "execute": ["UPDATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "UPDATE_COMPLETE"]}
    assert to_the_end(ask(), fake).status == "UPDATE_COMPLETE"
    assert fake.stacks.did == did


@pytest.mark.parametrize("status", [status for status in STATES if next_move(status) is Move.WAIT])
def test_another_operation_is_waited_for_and_never_disturbed(status: str) -> None:
    fake = aws()
    fake.stacks.add(STACK, status)
    current = ask()
    for _ in range(4):
        result = deploy_stack.run(current, fake.as_aws())
        assert result.status is Status.IN_PROGRESS
        assert status in result.summary
        current = next_call(current, result)
    assert fake.stacks.did == []
    fake.stacks.add(STACK, "UPDATE_COMPLETE")
    assert deploy_stack.run(current, fake.as_aws()).status is Status.SUCCEEDED


def test_every_state_has_an_example_here() -> None:
    waiting = {status for status in STATES if next_move(status) is Move.WAIT}
    assert {*EXAMPLES} | waiting | {"IMPORT_ROLLBACK_FAILED", "DELETE_COMPLETE"} == {*STATES}


def test_a_state_that_needs_a_person_is_refused_with_the_reason() -> None:
    fake = aws()
    fake.stacks.add(STACK, "IMPORT_ROLLBACK_FAILED", reason="resource X is gone")
    with pytest.raises(PhaseFailed, match="resource X is gone") as caught:
        deploy_stack.run(ask(), fake.as_aws())
    assert caught.value.code == "StackNeedsHands"


@pytest.mark.parametrize(
    ("status", "operation", "stays"),
    [
        ("ROLLBACK_COMPLETE", "delete", "DELETE_FAILED"),
        ("UPDATE_ROLLBACK_FAILED", "continue", "UPDATE_ROLLBACK_FAILED"),
    ],
)
def test_a_stack_that_stays_broken_fails_with_the_failed_resource(status: str, operation: str, stays: str) -> None:
    fake = aws()
    fake.stacks.add(STACK, status)
    fake.stacks.walks = {operation: [stays]}
    fake.stacks.past_events = [
        StackEvent("1", "", "Api", "AWS::ApiGateway::RestApi", "DELETE_FAILED", "held by a domain")
    ]
    with pytest.raises(PhaseFailed, match="held by a domain") as caught:
        to_the_end(ask(), fake)
    assert caught.value.code == "StackStuck"
    assert fake.stacks.did.count(operation) <= 2


def test_a_half_deleted_stack_of_a_live_environment_is_deleted_with_allow_replacement_only() -> None:
    fake = aws()
    fake.stacks.add(STACK, "DELETE_FAILED")
    with pytest.raises(PhaseFailed) as caught:
        deploy_stack.run(ask(environment=environment(live=release("3"))), fake.as_aws())
    assert caught.value.field == "options.allow_replacement"
    assert fake.stacks.did == []


def test_a_rollback_is_continued_twice_and_then_the_stack_is_stuck() -> None:
    fake = aws()
    fake.stacks.add(STACK, "UPDATE_ROLLBACK_FAILED")
    fake.stacks.walks = {"continue": ["UPDATE_ROLLBACK_IN_PROGRESS", "UPDATE_ROLLBACK_FAILED"]}
    with pytest.raises(PhaseFailed) as caught:
        to_the_end(ask(), fake)
    assert (caught.value.code, fake.stacks.did) == ("StackStuck", ["continue", "continue"])


def test_the_wait_for_a_stack_ends_after_an_hour() -> None:
    fake = aws()
    fake.stacks.add(STACK, "UPDATE_IN_PROGRESS")
    assert deploy_stack.run(ask(after_s=3_600), fake.as_aws()).status is Status.IN_PROGRESS
    with pytest.raises(PhaseFailed) as caught:
        deploy_stack.run(ask(after_s=3_601), fake.as_aws())
    assert caught.value.code == "StackTimeout"


def test_the_pauses_grow_while_the_same_operation_is_waited_for() -> None:
    fake = aws()
    fake.stacks.add(STACK, "UPDATE_IN_PROGRESS")
    current, pauses = ask(), []
    for _ in range(6):
        result = deploy_stack.run(current, fake.as_aws())
        pauses.append(result.poll_after_s)
        current = next_call(current, result)
    assert pauses == sorted(pauses)
    assert pauses[0] < pauses[-1]


def test_a_change_set_left_by_a_crash_is_removed_and_one_made_by_hand_is_not() -> None:
    fake = aws()
    fake.stacks.add(STACK)
    fake.stacks.planned = {
        "proxyctl-d-old": dataclasses.replace(CHANGED, name="proxyctl-d-old"),
        "by-hand": dataclasses.replace(CHANGED, name="by-hand"),
    }
    result = to_the_end(ask(), fake)
    assert result.removed_change_sets == ("proxyctl-d-old",)
    assert "by-hand" in fake.stacks.planned


REPLACING = dataclasses.replace(
    CHANGED, changes=(Change("Function", "AWS::Lambda::Function", "Modify", "True", "f", ("FunctionName",)),)
)


def test_a_change_that_loses_something_for_good_is_refused_and_the_change_set_removed() -> None:
    fake = aws()
    fake.stacks.add(STACK)
    fake.stacks.answers = [REPLACING]
    with pytest.raises(PhaseFailed, match="replaces Function") as caught:
        to_the_end(ask(), fake)
    assert caught.value.field == "options.allow_replacement"
    assert "execute" not in fake.stacks.did
    assert fake.stacks.planned == {}


def test_replacing_is_done_with_allow_replacement() -> None:
    fake = aws()
    fake.stacks.add(STACK)
    fake.stacks.answers = [REPLACING]
    fake.stacks.walks = {"execute": ["UPDATE_IN_PROGRESS", "UPDATE_COMPLETE"]}
    result = to_the_end(ask(options=Options(allow_replacement=True)), fake)
    assert result.changes == ("Modify Function (AWS::Lambda::Function): FunctionName, replaced",)


def test_a_failed_update_names_the_first_failed_resource_of_this_operation() -> None:
    fake = aws()
    fake.stacks.add(STACK)
    fake.stacks.answers = [CHANGED]
    old = StackEvent("0", "", "Role", "AWS::IAM::Role", "UPDATE_FAILED", "an older story")
    fake.stacks.past_events = [old]
    fake.stacks.walks = {"execute": ["UPDATE_IN_PROGRESS", "UPDATE_ROLLBACK_IN_PROGRESS", "UPDATE_ROLLBACK_COMPLETE"]}
    first = ask()
    result = deploy_stack.run(first, fake.as_aws())
    fake.stacks.past_events = [
        old,
        StackEvent("1", "", "Stage", "AWS::ApiGateway::Stage", "UPDATE_FAILED", "CloudWatch Logs role ARN must be set"),
        StackEvent("2", "", STACK, "AWS::CloudFormation::Stack", "UPDATE_ROLLBACK_COMPLETE", ""),
    ]
    with pytest.raises(PhaseFailed) as caught:
        to_the_end(next_call(first, result), fake)
    assert caught.value.code == "StackFailed"
    assert caught.value.field == "Stage"
    assert "CloudWatch Logs role ARN must be set" in caught.value.message
    assert "an older story" not in caught.value.message


def test_a_failed_creation_names_its_cause_although_the_stack_was_deleted() -> None:
    """OnStackFailure is DELETE: a deleted stack is found by its ID only."""
    fake = aws()
    fake.stacks.answers = [CHANGED]
    fake.stacks.walks = {"execute": ["CREATE_IN_PROGRESS", "CREATE_IN_PROGRESS", "DELETE_COMPLETE"]}
    fake.stacks.past_events = [StackEvent("1", "", "Role", "AWS::IAM::Role", "CREATE_FAILED", "already exists")]
    first = ask()
    after = next_call(first, deploy_stack.run(first, fake.as_aws()))
    cursor = {**after.cursor, "since": "", "last": ""}
    with pytest.raises(PhaseFailed, match=r"Role .*already exists"):
        to_the_end(dataclasses.replace(after, cursor=cursor), fake)


def test_progress_is_reported_resource_by_resource() -> None:
    fake = aws()
    fake.stacks.add(STACK)
    fake.stacks.answers = [CHANGED]
    fake.stacks.walks = {"execute": ["UPDATE_IN_PROGRESS"] * 3 + ["UPDATE_COMPLETE"]}
    current = next_call(ask(), deploy_stack.run(ask(), fake.as_aws()))
    fake.stacks.past_events.append(StackEvent("1", "", "Stage", "AWS::ApiGateway::Stage", "UPDATE_IN_PROGRESS"))
    first = deploy_stack.run(current, fake.as_aws())
    fake.stacks.past_events.append(StackEvent("2", "", "Stage", "AWS::ApiGateway::Stage", "UPDATE_COMPLETE"))
    second = deploy_stack.run(next_call(current, first), fake.as_aws())
    assert evidence(first).resources == {"Stage": "UPDATE_IN_PROGRESS"}
    assert evidence(second).resources == {"Stage": "UPDATE_COMPLETE"}
    assert second.summary == "UPDATE_IN_PROGRESS: 1 of 1 resource done"


def test_a_crash_after_execute_goes_on_from_the_stack() -> None:
    """The cursor still says that the change set is being made; it is gone, and the stack is being updated."""
    fake = aws()
    fake.stacks.add(STACK, "UPDATE_IN_PROGRESS")
    result = deploy_stack.run(ask(cursor={"step": "changing", "creates": False}), fake.as_aws())
    assert result.status is Status.IN_PROGRESS
    assert fake.stacks.did == []


LIVE = release("2")
OUTPUTS = {"ApiId": "api1", "ApiUrl": "https://api1.example/api", "StageName": "api", "Snapshot": "ApiDeploymentOld"}


def users_have(fake: FakeAws, **parameters: str) -> Request:
    """A live release with throttle 80 and snapshot ApiDeploymentOld, and a deploy with another API and throttle 20."""
    fake.stacks.add(STACK, parameters={"ResponseMode": "stream", **parameters}, outputs=OUTPUTS)
    owned = StackResource("ApiDeploymentOld", "d1", "AWS::ApiGateway::Deployment", "CREATE_COMPLETE")
    fake.stacks.owned[STACK] = [owned]
    config = {"throttle": {"rate_per_s": 80.0, "burst": 160}, "reserved_concurrency": 7, "log_retention_days": 30}
    good = dataclasses.replace(LIVE, config=config)
    stands = environment(live=good, last_good=good)
    return ask(environment=stands, config=Config(throttle=Throttle(20, 40), protected=True))


def test_what_users_feel_stays_as_their_release_has_it_until_the_shift() -> None:
    fake = aws(PROXY)
    deploy_stack.run(users_have(fake), fake.as_aws())
    given = fake.stacks.given[STACK]
    felt = {name: given[name] for name in template.FELT}
    assert felt == {
        **dict.fromkeys(template.ADDRESS, ""),
        "ThrottleRate": "80",
        "ThrottleBurst": "160",
        "ReservedConcurrency": "7",
        "LogRetentionDays": "30",
    }
    assert (given["CandidateThrottleRate"], given["CandidateThrottleBurst"]) == ("20", "40")


def test_users_keep_their_api_snapshot_and_the_candidate_gets_the_new_one() -> None:
    fake = aws(PROXY)
    deploy_stack.run(users_have(fake), fake.as_aws())
    users, candidate = re.findall(r"DeploymentId: !Ref (\w+)", fake.stacks.templates[-1])
    assert users == "ApiDeploymentOld"
    assert re.fullmatch(r"ApiDeployment[0-9a-f]{12}", candidate)


def test_a_recorded_parameter_counts_more_than_what_the_configuration_says() -> None:
    fake = aws(PROXY)
    current = users_have(fake)
    good = dataclasses.replace(current.environment.last_good or LIVE, parameters={"ThrottleRate": "75"})
    stands = dataclasses.replace(current.environment, live=good, last_good=good)
    deploy_stack.run(dataclasses.replace(current, environment=stands), fake.as_aws())
    assert fake.stacks.given[STACK]["ThrottleRate"] == "75"


def test_deletion_protection_is_left_alone() -> None:
    fake = aws(PROXY)
    deploy_stack.run(users_have(fake), fake.as_aws())
    assert not [operation for operation in fake.stacks.did if operation.startswith("protect")]


def test_switching_the_response_mode_of_a_live_version_needs_allow_replacement() -> None:
    fake = aws()
    fake.stacks.add(STACK, parameters={"ResponseMode": "buffered"})
    living = ask(environment=environment(live=release("3")))
    with pytest.raises(PhaseFailed) as caught:
        deploy_stack.run(living, fake.as_aws())
    assert caught.value.field == "config.response_mode"
    allowed = dataclasses.replace(living, options=Options(allow_replacement=True))
    assert to_the_end(allowed, fake).status == "UPDATE_COMPLETE"


def fingerprint_of(fake: FakeAws, **other: Any) -> str:
    return deploy_stack.fingerprint(ask(**other), fake.as_aws())


def test_the_fingerprint_changes_with_the_stacks_inputs_and_with_nothing_else() -> None:
    fake = aws()
    fake.stacks.add(STACK)
    same = fingerprint_of(fake)
    assert fingerprint_of(fake, config=Config(log_level="DEBUG", memory_mb=1024)) == same
    assert fingerprint_of(fake, results=results(SECRET, ArtifactEvidence(key="artifacts/dev/other.zip"))) == same
    assert fingerprint_of(fake, config=Config(throttle=Throttle(5))) != same
    assert fingerprint_of(fake, config=Config(log_retention_days=30)) != same
    assert fingerprint_of(fake, config=Config(protected=True)) == same
    fake.stacks.add(STACK, "ROLLBACK_COMPLETE")
    assert fingerprint_of(fake) != same
    del fake.stacks.standing[STACK]
    assert fingerprint_of(fake) != same
    other = aws(TEMPLATE.replace("Api: {}", "Api: {x: 1}"))
    other.stacks.add(STACK)
    assert fingerprint_of(other) != same
