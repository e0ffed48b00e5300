"""Facts about what was deleted underneath a stack: it is named, and phase 4 brings it back."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import pytest
from chalicelib.domain.aws.functions import Alias
from chalicelib.domain.aws.stacks import Change, ChangeSet
from chalicelib.domain.errors import PhaseFailed
from chalicelib.domain.evidence.artifact import ArtifactEvidence
from chalicelib.domain.evidence.secret import SecretEvidence
from chalicelib.domain.evidence.stack import StackEvidence
from chalicelib.domain.model import Applied
from chalicelib.domain.names import Names
from chalicelib.engine.fingerprints import fingerprint
from chalicelib.engine.phase import Request, Result, Status
from chalicelib.phases.deploy_stack import run as deploy_stack
from chalicelib.stack import repair

from tests.fakes import FakeAws
from tests.fakes.bundles import put_bundle
from tests.fakes.requests import HELD, environment, next_call, release, request, results
from tests.fakes.standing import stand

NAMES = Names("dev")
ROLE = NAMES.role("eu-central-1")
POLICY = '{"Statement": []}'
RESULTS = results(SecretEvidence(arn="arn:secret", version_id="v1"), ArtifactEvidence(key="artifacts/dev/abc.zip"))
READY = ChangeSet("id", "n", "CREATE_COMPLETE", "", "AVAILABLE", (Change("Role", "AWS::IAM::Role", "Modify"),))
OUTPUTS = {"ApiId": "api1", "ApiUrl": "https://api1.example/api", "StageName": "api"}


@pytest.fixture
def aws() -> FakeAws:
    fake = stand(FakeAws())
    put_bundle(fake.artifacts)
    fake.identity.policies[ROLE] = POLICY
    fake.records.attributes["dev"] = {"lock": dataclasses.asdict(HELD)}
    fake.stacks.add(NAMES.stack, parameters={"ResponseMode": "stream", "Repair": ""}, outputs=OUTPUTS)
    return fake


def ask() -> Request:
    good = release("2")
    applied = {"deploy_stack": Applied("f", "d", "t", {"role_policy": fingerprint(POLICY)})}
    return request(environment=environment(live=good, last_good=good, applied=applied), results=RESULTS)


def deploy(aws: FakeAws) -> Result[StackEvidence]:
    current = ask()
    for _ in range(9):
        result = deploy_stack.run(current, aws.as_aws())
        if result.status is not Status.IN_PROGRESS:
            return result
        current = next_call(current, result)
    raise AssertionError("it does not end")


def delete_alias(name: str) -> Callable[[FakeAws], object]:
    return lambda aws: aws.functions.pointed[NAMES.function].pop(name)


def delete_group(name: str) -> Callable[[FakeAws], object]:
    return lambda aws: aws.logs.kept.pop(name)


DELETIONS: dict[str, tuple[Callable[[FakeAws], object], str]] = {
    "live": (delete_alias("live"), "alias live was deleted"),
    "candidate": (delete_alias("candidate"), "alias candidate was deleted"),
    "log group": (delete_group(NAMES.log_group), f"log group {NAMES.log_group} was deleted"),
    "access log": (delete_group(NAMES.access_log_group), f"log group {NAMES.access_log_group} was deleted"),
}


@pytest.mark.parametrize("what", DELETIONS)
def test_what_was_deleted_is_named_and_made_again(aws: FakeAws, what: str) -> None:
    delete, named = DELETIONS[what]
    before = repair.standing(ask(), aws.as_aws())
    delete(aws)
    result = deploy(aws)
    assert named in result.summary
    assert result.evidence is not None
    assert len(result.evidence.repaired or ()) == 1
    assert repair.standing(ask(), aws.as_aws()) == before


@pytest.mark.parametrize("what", DELETIONS)
def test_what_was_deleted_changes_the_fingerprint_so_that_the_phase_runs(aws: FakeAws, what: str) -> None:
    same = deploy_stack.fingerprint(ask(), aws.as_aws())
    assert deploy_stack.fingerprint(ask(), aws.as_aws()) == same
    DELETIONS[what][0](aws)
    assert deploy_stack.fingerprint(ask(), aws.as_aws()) != same


@pytest.mark.parametrize(("policy", "named"), [("", "was deleted"), ('{"Statement": [1]}', "was changed")])
def test_a_policy_of_the_role_that_someone_touched_is_named_and_written_again_by_the_stack(
    aws: FakeAws, policy: str, named: str
) -> None:
    same = deploy_stack.fingerprint(ask(), aws.as_aws())
    aws.identity.policies[ROLE] = policy
    assert deploy_stack.fingerprint(ask(), aws.as_aws()) != same
    aws.stacks.answers = [READY]
    result = deploy(aws)
    assert aws.stacks.given[NAMES.stack]["Repair"] == "dnew"
    assert f"policy proxy of role {ROLE} {named}" in result.summary


@pytest.mark.parametrize("boundary", ["", "arn:aws:iam::aws:policy/AdministratorAccess"])
def test_a_role_without_the_boundary_gets_it_before_the_stack_changes(aws: FakeAws, boundary: str) -> None:
    """So upgrades an environment that is older than the boundary."""
    aws.identity.boundaries[ROLE] = aws.settings.boundary_arn
    same = deploy_stack.fingerprint(ask(), aws.as_aws())
    aws.identity.boundaries[ROLE] = boundary
    assert deploy_stack.fingerprint(ask(), aws.as_aws()) != same
    result = deploy(aws)
    assert aws.identity.boundaries == {ROLE: aws.settings.boundary_arn}
    assert f"role {ROLE} did not carry the permissions boundary: set" in result.summary


def test_a_bounded_role_is_left_alone(aws: FakeAws) -> None:
    aws.identity.boundaries[ROLE] = aws.settings.boundary_arn
    result = deploy(aws)
    assert result.evidence is not None
    assert result.evidence.repaired is None


def test_an_untouched_environment_is_not_repaired(aws: FakeAws) -> None:
    result = deploy(aws)
    assert result.evidence is not None
    assert result.evidence.repaired is None
    assert aws.stacks.given[NAMES.stack]["Repair"] == ""


def test_the_live_alias_is_made_again_on_the_good_version(aws: FakeAws) -> None:
    delete_alias("live")(aws)
    deploy(aws)
    assert aws.functions.pointed[NAMES.function]["live"] == Alias("live", "2")


def test_before_the_first_release_an_alias_is_made_on_the_closed_version(aws: FakeAws) -> None:
    current = dataclasses.replace(ask(), environment=environment())
    assert repair.version_for_alias(current, aws.as_aws()) == "1"


def test_a_log_group_gets_the_retention_of_the_live_release(aws: FakeAws) -> None:
    delete_group(NAMES.log_group)(aws)
    deploy(aws)
    assert aws.logs.kept[NAMES.log_group].retention_days == 14


def test_a_deleted_function_is_named_with_what_to_do(aws: FakeAws) -> None:
    aws.functions.latest.clear()
    with pytest.raises(PhaseFailed) as failed:
        deploy(aws)
    assert (failed.value.code, failed.value.field) == ("FunctionGone", NAMES.function)
    assert "cleanup" in str(failed.value.remedy)
