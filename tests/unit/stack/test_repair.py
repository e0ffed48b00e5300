"""What is deleted or changed underneath a stack is named, and comes back: by the next deploy, or when one fails.

One table for every resource that the stack owns.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest
from chalicelib.domain.aws.functions import Alias, Permission
from chalicelib.domain.aws.gateway import StageState
from chalicelib.domain.aws.stacks import Change, ChangeSet, StackResource
from chalicelib.domain.config import Config
from chalicelib.domain.errors import PhaseFailed
from chalicelib.domain.evidence.artifact import ArtifactEvidence
from chalicelib.domain.evidence.secret import SecretEvidence
from chalicelib.domain.model import Action, Applied
from chalicelib.domain.names import Names
from chalicelib.engine.fingerprints import fingerprint
from chalicelib.engine.phase import Request, Result, Status
from chalicelib.phases.apply_settings import run as apply_settings
from chalicelib.phases.deploy_stack import run as deploy_stack
from chalicelib.phases.restore_settings import run as restore_settings
from chalicelib.stack import template
from chalicelib.stack.recovery import repair

from tests.fakes import FakeAws
from tests.fakes.bundles import TEMPLATE, put_bundle
from tests.fakes.requests import HELD, environment, next_call, release, request, results
from tests.fakes.standing import stand

NAMES = Names("dev")
ROLE = NAMES.role("eu-central-1")
POLICY = '{"Statement": []}'
RESULTS = results(SecretEvidence(arn="arn:secret", version_id="v1"), ArtifactEvidence(key="artifacts/dev/abc.zip"))
READY = ChangeSet("id", "n", "CREATE_COMPLETE", "", "AVAILABLE", (Change("Role", "AWS::IAM::Role", "Modify"),))
API = "api1"
OUTPUTS = {
    "ApiId": API,
    "ApiUrl": "https://api1.example/api",
    "StageName": "api",
    "CandidateStageName": "candidate",
    "Snapshot": "ApiDeploymentOld",
    "CandidateSnapshot": "ApiDeploymentOld",
}
PARAMETERS = {
    "ResponseMode": "stream",
    "Repair": "",
    "AccessLogs": "on",
    "ThrottleRate": "80",
    "ThrottleBurst": "160",
    "CandidateThrottleRate": "80.5",
    "CandidateThrottleBurst": "161",
}
USERS, CANDIDATE = StageState("dep1", 80, 160), StageState("dep1", 80.5, 161)
SOURCE = f"arn:aws:execute-api:eu-central-1:123456789012:{API}"


@pytest.fixture
def aws() -> FakeAws:
    fake = stand(FakeAws())
    put_bundle(fake.artifacts)
    fake.identity.policies[ROLE] = POLICY
    fake.records.attributes["dev"] = {"lock": dataclasses.asdict(HELD)}
    fake.stacks.add(NAMES.stack, parameters=PARAMETERS, outputs=OUTPUTS)
    fake.stacks.owned[NAMES.stack] = [
        StackResource("ApiDeploymentOld", "dep1", "AWS::ApiGateway::Deployment", "CREATE_COMPLETE"),
        StackResource("LivePermission", "arn:f:live|stack-Live-1", "AWS::Lambda::Permission", "CREATE_COMPLETE"),
        StackResource("CandidatePermission", "stack-Candidate-1", "AWS::Lambda::Permission", "CREATE_COMPLETE"),
    ]
    return fake


def ask(**other: Any) -> Request:
    good = dataclasses.replace(release("2"), snapshot="ApiDeploymentOld")
    applied = {"deploy_stack": Applied("f", "d", "t", {"role_policy": fingerprint(POLICY)})}
    stands = environment(live=good, last_good=good, applied=applied)
    defaults: dict[str, Any] = {"environment": stands, "results": RESULTS}
    return request(**defaults | other)


def run(phase: Any, aws: FakeAws, **other: Any) -> tuple[Result[Any], Any]:
    """The result at the end, and its evidence."""
    current = ask(**other)
    for _ in range(9):
        result: Result[Any] = phase.run(current, aws.as_aws())
        if result.status is not Status.IN_PROGRESS:
            assert result.evidence is not None
            return result, result.evidence
        current = next_call(current, result)
    raise AssertionError("it does not end")


def losses(aws: FakeAws) -> list[str]:
    stack = aws.stacks.find(NAMES.stack)
    assert stack
    return [str(loss) for loss in repair.find_losses(stack, ask(), aws.as_aws())]


def drop_alias(name: str) -> Callable[[FakeAws], object]:
    return lambda aws: aws.functions.drop_alias(NAMES.function, name)


def drop_group(name: str) -> Callable[[FakeAws], object]:
    return lambda aws: aws.logs.kept.pop(name)


def drop_stage(name: str) -> Callable[[FakeAws], object]:
    return lambda aws: aws.gateway.gone.add((API, name))


def change_stage(name: str, **to: Any) -> Callable[[FakeAws], object]:
    before = USERS if name == "api" else CANDIDATE
    return lambda aws: aws.gateway.stages.update({(API, name): dataclasses.replace(before, **to)})


def permit(alias: str, *permissions: Permission) -> Callable[[FakeAws], object]:
    return lambda aws: aws.functions.granted.update({alias: list(permissions)})


def set_policy(policy: str) -> Callable[[FakeAws], object]:
    return lambda aws: aws.identity.policies.update({ROLE: policy})


def drop_role(aws: FakeAws) -> None:
    aws.identity.roles.clear()
    aws.identity.policies[ROLE] = ""


ELSEWHERE = Permission("x", "apigateway.amazonaws.com", SOURCE.replace(API, "api2") + "/*")
# What someone does underneath the stack, and how it is named.
LOSSES: dict[str, tuple[Callable[[FakeAws], object], list[str]]] = {
    "live alias": (drop_alias("live"), ["alias live was deleted", "permission of alias live was deleted"]),
    "candidate alias": (
        drop_alias("candidate"),
        ["alias candidate was deleted", "permission of alias candidate was deleted"],
    ),
    "permission of live": (permit("live"), ["permission of alias live was deleted"]),
    "permission of candidate": (permit("candidate"), ["permission of alias candidate was deleted"]),
    "permission for another API": (permit("live", ELSEWHERE), ["permission of alias live was deleted"]),
    "log group": (drop_group(NAMES.log_group), [f"log group {NAMES.log_group} was deleted"]),
    "access log": (drop_group(NAMES.access_log_group), [f"log group {NAMES.access_log_group} was deleted"]),
    "users' stage": (drop_stage("api"), ["stage api was deleted"]),
    "candidate's stage": (drop_stage("candidate"), ["stage candidate was deleted"]),
    "another snapshot": (
        change_stage("api", deployment_id="dep2"),
        ["stage api was changed (deployment dep2, not dep1)"],
    ),
    "another throttle": (
        change_stage("candidate", rate_per_s=9.0, burst=1),
        ["stage candidate was changed (rate 9, not 80.5, burst 1, not 161)"],
    ),
    "role's policy": (set_policy(""), [f"role policy {ROLE} was deleted"]),
    "changed policy": (set_policy('{"Statement": [1]}'), [f"role policy {ROLE} was changed"]),
}
PHASES = {
    "deploy_stack": (deploy_stack, {}),
    "apply_settings": (apply_settings, {}),
    "restore_settings": (restore_settings, {}),
    "restore_settings after a rotation": (restore_settings, {"action": Action.ROTATE}),
}


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("what", LOSSES)
def test_what_was_deleted_or_changed_is_named_and_made_again(aws: FakeAws, what: str, phase: str) -> None:
    spoil, named = LOSSES[what]
    module, other = PHASES[phase]
    spoil(aws)
    assert losses(aws) == named
    aws.stacks.answers = [READY]
    result, evidence = run(module, aws, **other)
    assert result.status is Status.SUCCEEDED
    assert [line.partition(": ")[0] for line in evidence.repaired] == named
    for line in named:
        assert line in result.summary
    if "policy" in named[-1]:
        assert aws.stacks.given[NAMES.stack]["Repair"] == "dnew", "the stack writes the policy itself"
        aws.identity.policies[ROLE] = POLICY
    assert losses(aws) == []


@pytest.mark.parametrize("what", LOSSES)
def test_a_loss_changes_the_fingerprint_so_that_the_phase_runs(aws: FakeAws, what: str) -> None:
    same = deploy_stack.fingerprint(ask(), aws.as_aws())
    assert deploy_stack.fingerprint(ask(), aws.as_aws()) == same
    LOSSES[what][0](aws)
    assert deploy_stack.fingerprint(ask(), aws.as_aws()) != same


def test_an_untouched_environment_is_not_repaired(aws: FakeAws) -> None:
    assert losses(aws) == []
    _, evidence = run(deploy_stack, aws)
    assert evidence.repaired is None
    assert aws.stacks.given[NAMES.stack]["Repair"] == ""


def test_the_live_alias_is_made_again_on_the_good_version_and_may_be_called(aws: FakeAws) -> None:
    drop_alias("live")(aws)
    run(deploy_stack, aws)
    assert aws.functions.pointed[NAMES.function]["live"] == Alias("live", "2")
    (given,) = aws.functions.granted["live"]
    assert given == Permission("stack-Live-1", "apigateway.amazonaws.com", f"{SOURCE}/api/*/*")


def test_a_permission_is_given_again_under_the_stacks_own_statement_id(aws: FakeAws) -> None:
    permit("candidate")(aws)
    run(deploy_stack, aws)
    wanted = Permission("stack-Candidate-1", "apigateway.amazonaws.com", f"{SOURCE}/*/*/_candidate/*")
    assert aws.functions.granted["candidate"] == [wanted]


def test_a_stage_is_made_again_with_its_snapshot_throttle_and_access_log(aws: FakeAws) -> None:
    drop_stage("api")(aws)
    run(deploy_stack, aws)
    assert aws.gateway.stages[API, "api"] == USERS
    log = aws.gateway.logs[API, "api"]
    assert log is not None
    assert log.destination.endswith(f":log-group:{NAMES.access_log_group}")
    assert log.format == template.access_log_format(TEMPLATE)


def test_a_stack_without_access_logs_gets_its_stage_without_one(aws: FakeAws) -> None:
    aws.stacks.add(NAMES.stack, parameters=PARAMETERS | {"AccessLogs": "off"}, outputs=OUTPUTS)
    drop_stage("api")(aws)
    run(deploy_stack, aws)
    assert aws.gateway.logs[API, "api"] is None


def test_a_stack_of_an_earlier_version_is_judged_by_what_it_names(aws: FakeAws) -> None:
    old = {name: value for name, value in OUTPUTS.items() if "Snapshot" not in name}
    aws.stacks.add(NAMES.stack, parameters=PARAMETERS, outputs=old)
    drop_stage("api")(aws)
    assert losses(aws) == []


def test_while_cloudformation_works_nothing_is_repaired(aws: FakeAws) -> None:
    stack = aws.stacks.standing[NAMES.stack]
    aws.stacks.standing[NAMES.stack] = dataclasses.replace(stack, status="UPDATE_IN_PROGRESS")
    drop_stage("api")(aws)
    result = apply_settings.run(ask(), aws.as_aws())
    assert result.status is Status.IN_PROGRESS
    assert (API, "api") in aws.gateway.gone


def test_before_the_first_release_an_alias_is_made_on_the_closed_version(aws: FakeAws) -> None:
    current = dataclasses.replace(ask(), environment=environment())
    assert repair.version_for_alias(current, aws.as_aws()) == "1"


def test_a_log_group_gets_the_retention_of_the_live_release(aws: FakeAws) -> None:
    drop_group(NAMES.log_group)(aws)
    run(deploy_stack, aws)
    assert aws.logs.kept[NAMES.log_group].retention_days == Config().log_retention_days


GONE: dict[str, tuple[Callable[[FakeAws], object], str, str]] = {
    "function": (lambda fake: fake.functions.latest.clear(), "FunctionGone", NAMES.function),
    "API": (lambda fake: fake.gateway.gone.add(API), "ApiGone", API),
    "role": (drop_role, "RoleGone", ROLE),
}


@pytest.mark.parametrize("what", GONE)
def test_what_goes_after_the_checks_stops_the_release_and_the_next_deploy_makes_it_again(
    aws: FakeAws, what: str
) -> None:
    spoil, code, name = GONE[what]
    spoil(aws)
    assert losses(aws) == [f"{what} {name} was deleted"], "what went with it is not named beside it"
    with pytest.raises(PhaseFailed) as failed:
        run(apply_settings, aws)
    assert failed.value.code == code
    assert failed.value.remedy == "Deploy dev again: deploy_stack makes it again."
    result, _ = run(restore_settings, aws)
    assert f"{what} {name} was deleted: the next deploy makes it again" in result.summary


def lose_role_after(aws: FakeAws, reads: int) -> None:
    """A deleted role whose policy reads as deleted at once, and the role itself only at the read after `reads`."""
    set_policy("")(aws)
    left = iter(range(reads))
    there = f"arn:aws:iam::123456789012:role/{ROLE}"
    aws.identity.role_arn = lambda name: there if next(left, None) is not None else None  # type: ignore[method-assign]


@pytest.mark.parametrize("reads", [1, 2, 5])
def test_a_missing_policy_is_not_written_before_the_role_reads_as_existing_for_some_time(
    aws: FakeAws, reads: int
) -> None:
    """IAM's reads are eventually consistent: writing the policy of a deleted role would fail the stack's update."""
    lose_role_after(aws, reads)
    with pytest.raises(PhaseFailed) as failed:
        run(apply_settings, aws)
    assert (failed.value.code, failed.value.field) == ("RoleGone", ROLE)
    assert NAMES.stack not in aws.stacks.given
    lose_role_after(aws, reads)
    result, _ = run(restore_settings, aws)
    assert f"role {ROLE} was deleted: the next deploy makes it again" in result.summary
    assert "role policy" not in result.summary


@pytest.mark.parametrize("reads", [1, 2, 5])
def test_a_deploy_makes_a_role_again_whose_policy_read_as_deleted_first(aws: FakeAws, reads: int) -> None:
    lose_role_after(aws, reads)
    current = ask()
    for _ in range(reads):
        result = deploy_stack.run(current, aws.as_aws())
        assert (result.status, NAMES.stack in aws.stacks.given) == (Status.IN_PROGRESS, False)
        current = next_call(current, result)
    deploy_stack.run(current, aws.as_aws())
    assert aws.stacks.given[NAMES.stack]["RoleMark"] != PARAMETERS.get("RoleMark", "")


def test_the_looks_at_a_role_whose_policy_is_missing_end(aws: FakeAws) -> None:
    """After the fifth wait, about 15 s, the policy is written: a role that still reads as existing exists."""
    set_policy("")(aws)
    current, waits = ask(), 0
    for _ in range(9):
        result = apply_settings.run(current, aws.as_aws())
        if aws.stacks.given.get(NAMES.stack, {}).get("Repair"):
            break
        waits, current = waits + 1, next_call(current, result)
    assert waits == 5


def test_a_stack_that_was_deleted_is_made_again_and_named(aws: FakeAws) -> None:
    del aws.stacks.standing[NAMES.stack]
    aws.stacks.answers = [READY]
    aws.stacks.walks = {"execute": ["CREATE_IN_PROGRESS", "CREATE_COMPLETE"]}
    result, _ = run(deploy_stack, aws)
    assert f"stack {NAMES.stack} was deleted, and version 2 with it: made again" in result.summary


@pytest.mark.parametrize("boundary", ["", "arn:aws:iam::aws:policy/AdministratorAccess"])
def test_a_role_without_the_boundary_gets_it_before_the_stack_changes(aws: FakeAws, boundary: str) -> None:
    """So upgrades an environment that is older than the boundary."""
    aws.identity.boundaries[ROLE] = aws.settings.boundary_arn
    same = deploy_stack.fingerprint(ask(), aws.as_aws())
    aws.identity.boundaries[ROLE] = boundary
    assert deploy_stack.fingerprint(ask(), aws.as_aws()) != same
    result, _ = run(deploy_stack, aws)
    assert aws.identity.boundaries == {ROLE: aws.settings.boundary_arn}
    assert f"permissions boundary of role {ROLE} was changed: set" in result.summary


def test_a_bounded_role_is_left_alone(aws: FakeAws) -> None:
    aws.identity.boundaries[ROLE] = aws.settings.boundary_arn
    assert losses(aws) == []
