"""An account and region is either a control plane's or a target; no environment is left without its control plane."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from chalicelib.domain.aws.targets import STACK
from moto import mock_aws

from installer import deploy, elsewhere, places
from installer.errors import CannotStart
from installer.stack import STACK as CONTROL_PLANE
from installer.target import Target
from tests.fakes.table import make_table

ACCOUNT, REGION, HOME = "123456789012", "eu-central-1", "111111111111"
ROLE = "arn:aws:iam::222222222222:role/proxyctl-target-eu-west-1"


class Stacks:
    """Stands for CloudFormation, which moto has with further packages only: the names of the stacks that exist."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def describe(self, params: dict[str, Any], **_other: Any) -> tuple[AWSResponse, dict[str, Any]]:
        wanted = params["body"].get("StackName")
        stacks = [self._stack(name) for name in self.names if wanted in (None, name)]
        if wanted and not stacks:
            error = {"Code": "ValidationError", "Message": f"Stack with id {wanted} does not exist"}
            return AWSResponse("", 400, {}, None), {"Error": error, "ResponseMetadata": {}}
        return AWSResponse("", 200, {}, None), {"Stacks": stacks}

    @staticmethod
    def _stack(name: str) -> dict[str, Any]:
        arn = f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/{name}/1"
        home = [{"ParameterKey": "HomeAccount", "ParameterValue": HOME}]
        return {"StackName": name, "StackId": arn, "StackStatus": "CREATE_COMPLETE", "Parameters": home}


@pytest.fixture
def stacks() -> Stacks:
    return Stacks()


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch, stacks: Stacks) -> Iterator[Target]:
    """An account that is moto's."""
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    with mock_aws():
        session = boto3.session.Session(aws_access_key_id="AK", aws_secret_access_key="SK", region_name=REGION)
        session.events.register("before-call.cloudformation.DescribeStacks", stacks.describe)
        yield Target(session, ACCOUNT, REGION, "aws", f"arn:aws:iam::{ACCOUNT}:user/me", "")


def record(aws: Target, name: str, **other: Any) -> None:
    """An environment's record, and its place in the list of all."""
    client = aws.client("dynamodb")
    listed = {"listed_all": "ENVIRONMENTS", "at": name}
    for sk, values in (("LISTED", listed), ("META", {"status": "LIVE"})):
        item = {"pk": f"ENVIRONMENT#{name}", "sk": sk, **values}
        client.put_item(TableName="proxyctl", Item={key: {"S": value} for key, value in item.items()} | other)


def target_of(role: str = ROLE, region: str = "eu-west-1") -> dict[str, Any]:
    block = {"role_arn": role, "external_id": "x", "region": region}
    return {"M": {name: {"S": value} for name, value in block.items()}}


def test_a_control_plane_is_not_installed_where_a_target_is(aws: Target, stacks: Stacks, tmp_path: Path) -> None:
    stacks.names.append(STACK)
    with pytest.raises(CannotStart) as refused:
        deploy.up(tmp_path, aws)
    words = str(refused.value)
    assert f"{ACCOUNT}, {REGION} is a target of the control plane in account {HOME}" in words
    assert "bootstrap.py target --remove" in words
    assert not aws.client("s3").list_buckets()["Buckets"], "nothing was made"


def test_where_no_target_is_a_control_plane_may_be_installed_and_upgraded(aws: Target, stacks: Stacks) -> None:
    places.refuse_target(aws)
    stacks.names.append(CONTROL_PLANE)
    places.refuse_target(aws)


@pytest.mark.parametrize(("home", "whose"), [(ACCOUNT, "this control plane"), (HOME, "another control plane")])
def test_a_target_is_not_installed_where_a_control_plane_is(
    aws: Target, stacks: Stacks, tmp_path: Path, home: str, whose: str
) -> None:
    stacks.names.append(CONTROL_PLANE)
    with pytest.raises(CannotStart, match=f"{whose} is installed in {ACCOUNT}, {REGION}"):
        elsewhere.install(tmp_path, aws, elsewhere.Wanted(home))


def test_a_target_with_environments_does_not_change_hands(aws: Target, stacks: Stacks, tmp_path: Path) -> None:
    stacks.names += [STACK, "proxyctl-env-eu"]
    with pytest.raises(CannotStart, match=f"of the control plane in account {HOME}, with its environments eu"):
        elsewhere.install(tmp_path, aws, elsewhere.Wanted("333333333333", "id-of-mine"))


def test_an_environment_in_a_target_keeps_its_control_plane(aws: Target) -> None:
    """Without its record nobody could clean it up any more."""
    make_table(aws.client("dynamodb"))
    record(aws, "home")
    record(aws, "eu", target=target_of())
    record(aws, "gone", target=target_of(), status={"S": "REMOVED"})
    assert places.environments_elsewhere(aws) == ["eu (account 222222222222, region eu-west-1)"]
    with pytest.raises(CannotStart, match=r"environments exist: eu \(account 222222222222, region eu-west-1\)"):
        deploy.down(aws, force=False)
    assert aws.client("dynamodb").list_tables()["TableNames"] == ["proxyctl"]


def test_without_a_table_there_are_none(aws: Target) -> None:
    assert places.environments_elsewhere(aws) == []
