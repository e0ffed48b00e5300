"""Facts about whose change set a phase executes."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from chalicelib.domain.aws.stacks import Change, ChangeSet
from chalicelib.domain.errors import PhaseFailed
from chalicelib.domain.evidence.artifact import ArtifactEvidence
from chalicelib.domain.evidence.secret import SecretEvidence
from chalicelib.domain.evidence.stack import StackEvidence
from chalicelib.engine.phase import Request, Result, Status
from chalicelib.phases.deploy_stack import run as deploy_stack
from chalicelib.stack.cursor import StackCursor

from tests.fakes import FakeAws
from tests.fakes.bundles import put_bundle
from tests.fakes.requests import environment, next_call, request, results
from tests.fakes.standing import stand

STACK, NAME = "proxyctl-env-dev", "proxyctl-deploy-d-new"
RESULTS = results(SecretEvidence(arn="arn:secret"), ArtifactEvidence(key="artifacts/dev/abc.zip"))
PENDING = ChangeSet("id", "n", "CREATE_IN_PROGRESS")
READY = ChangeSet(
    "id", "n", "CREATE_COMPLETE", "", "AVAILABLE", (Change("Stage", "AWS::ApiGateway::Stage", "Modify", "False"),)
)
FOREIGN = dataclasses.replace(READY, id="arn:someone", name=NAME, description="by hand")


@pytest.fixture
def fake() -> FakeAws:
    fake = stand(FakeAws())
    put_bundle(fake.artifacts)
    fake.stacks.add(STACK)
    fake.stacks.answers = [PENDING, READY]
    return fake


def ask(**other: Any) -> Request:
    return request(environment=environment(), results=RESULTS, **other)


def run(current: Request, fake: FakeAws) -> Result[StackEvidence]:
    return deploy_stack.run(current, fake.as_aws())


def waiting(fake: FakeAws) -> Request:
    """The request of the call after the change set was requested."""
    return next_call(ask(), run(ask(), fake))


def test_the_change_set_that_was_requested_is_executed_by_its_id(fake: FakeAws) -> None:
    second = waiting(fake)
    assert second.cursor_as(StackCursor).change_set == f"arn:{NAME}"
    assert run(second, fake).status is Status.IN_PROGRESS
    assert fake.stacks.did == ["update change set", "execute"]
    assert fake.stacks.planned == {}


def test_a_change_set_of_someone_else_under_our_name_is_deleted_and_ours_executed(fake: FakeAws) -> None:
    fake.stacks.planned = {NAME: FOREIGN}
    run(waiting(fake), fake)
    assert fake.stacks.did == [f"delete change set {NAME}", "update change set", "execute"]


def test_a_change_set_that_took_our_names_place_is_not_executed(fake: FakeAws) -> None:
    second = waiting(fake)
    fake.stacks.planned = {NAME: FOREIGN}
    run(second, fake)
    assert fake.stacks.did == ["update change set", f"delete change set {NAME}", "update change set", "execute"]


@pytest.mark.parametrize("description", ["", "digest 0000", "by hand"])
def test_a_change_set_of_another_digest_is_refused_and_deleted(fake: FakeAws, description: str) -> None:
    second = waiting(fake)
    fake.stacks.planned[NAME] = dataclasses.replace(fake.stacks.planned[NAME], description=description)
    with pytest.raises(PhaseFailed) as failed:
        run(second, fake)
    assert (failed.value.code, fake.stacks.planned) == ("ForeignChangeSet", {})
    assert "execute" not in fake.stacks.did


def test_other_inputs_have_another_digest(fake: FakeAws) -> None:
    digests = set()
    for key in ("arn:secret", "arn:another"):
        evidence = results(SecretEvidence(arn=key), ArtifactEvidence(key="artifacts/dev/abc.zip"))
        fake.stacks.answers, fake.stacks.planned = [PENDING], {}
        first = request(environment=environment(), results=evidence)
        digests.add(next_call(first, run(first, fake)).cursor_as(StackCursor).digest)
    assert len(digests) == 2


def test_a_cursor_of_an_earlier_version_names_no_change_set_and_begins_again(fake: FakeAws) -> None:
    fake.stacks.planned = {"proxyctl-d-new": dataclasses.replace(READY, name="proxyctl-d-new")}
    fake.stacks.answers = [READY]
    run(dataclasses.replace(ask(), cursor={"step": "changing", "creates": False}), fake)
    assert fake.stacks.did == ["delete change set proxyctl-d-new", "update change set", "execute"]


def test_a_change_set_that_is_still_being_made_is_waited_for_before_it_is_deleted(fake: FakeAws) -> None:
    fake.stacks.planned = {NAME: dataclasses.replace(PENDING, name=NAME)}
    first = run(ask(), fake)
    assert (first.status, fake.stacks.did) == (Status.IN_PROGRESS, [])
    fake.stacks.planned = {NAME: dataclasses.replace(READY, name=NAME)}
    run(next_call(ask(), first), fake)
    assert fake.stacks.did == [f"delete change set {NAME}", "update change set"]


def test_cloudformation_works_with_its_own_role(fake: FakeAws) -> None:
    run(waiting(fake), fake)
    assert fake.stacks.roles == ["arn:aws:iam::123456789012:role/proxyctl-change-stacks-eu-central-1"]
    fake.stacks.add(STACK, "UPDATE_ROLLBACK_FAILED")
    run(ask(), fake)
    fake.stacks.add(STACK, "ROLLBACK_COMPLETE")
    run(ask(), fake)
    assert fake.stacks.did[-2:] == ["continue", "delete"]
    assert len(set(fake.stacks.roles)) == 1
