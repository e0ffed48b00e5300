"""A target in another account: who may assume which role there, and what that role cannot do."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError
from chalicelib.domain.aws.targets import Target as Block
from chalicelib.engine import policies

from installer import elsewhere, target
from installer.choices import choose
from installer.errors import CannotStart
from local import emulator
from local.state import Keys
from tests.e2e.driving import ROOT
from tests.functional.security.conftest import ACCOUNT, Account

OTHER, REGION, SECRET_ID = "222222222222", "eu-west-1", "shop-7f3a"
STEMS = [stem for stem in policies.target_documents() if stem != policies.CHANGE_STACKS]


@dataclass(frozen=True)
class There:
    """The target, and clients in it."""

    account: Account
    aws: target.Target
    block: Block

    def credentials(self, client: Any, function: str, external_id: str | None = SECRET_ID) -> Any:
        given = {"ExternalId": external_id} if external_id else {}
        role = self.block.role_of(function)
        return client.assume_role(RoleArn=role, RoleSessionName="attempt", **given)["Credentials"]

    def client(self, function: str, service: str, region: str = REGION) -> Any:
        """A client as a function of the control plane has it in the target."""
        answer = self.credentials(self.account.phase(function, "sts"), function)
        keys = Keys(answer["AccessKeyId"], answer["SecretAccessKey"])
        return emulator.session(region, keys).client(
            service, endpoint_url=self.aws.endpoint, aws_session_token=answer["SessionToken"],
            aws_access_key_id=keys.access_key_id, aws_secret_access_key=keys.secret_access_key,
        )  # fmt: skip


@pytest.fixture(scope="module")
def there(account: Account) -> Iterator[There]:
    session = emulator.session(REGION, Keys(OTHER, "any"))
    aws = target.embedded(session, account.cloud.endpoint)
    block = elsewhere.install(ROOT, aws, elsewhere.Wanted(ACCOUNT, SECRET_ID, choose.Wanted(tags=("team=shop",))))
    yield There(account, aws, Block(**block))
    elsewhere.remove(aws, force=False)


def refused(attempt: Any, *codes: str) -> None:
    with pytest.raises(ClientError) as caught:
        attempt()
    assert caught.value.response["Error"]["Code"] in (codes or ("AccessDenied", "AccessDeniedException"))


def test_the_target_is_what_config_takes(there: There) -> None:
    assert (there.aws.account, there.block.account, there.block.region) == (OTHER, OTHER, REGION)


@pytest.mark.parametrize("function", STEMS)
def test_a_function_assumes_the_role_of_its_own_name(there: There, function: str) -> None:
    assert there.credentials(there.account.phase(function, "sts"), function)["SessionToken"]


@pytest.mark.parametrize("external_id", [None, "another", SECRET_ID + "x"])
def test_without_the_external_id_nobody_does(there: There, external_id: str | None) -> None:
    sts = there.account.phase("release_code", "sts")
    refused(lambda: there.credentials(sts, "release_code", external_id))


@pytest.mark.parametrize("function", [stem for stem in STEMS if stem != "bake"])
def test_a_stolen_role_of_one_function_assumes_no_other_functions_role(there: There, function: str) -> None:
    sts = there.account.phase("bake", "sts")
    refused(lambda: there.credentials(sts, function))


def test_an_administrator_of_the_control_planes_account_is_not_trusted(there: There) -> None:
    """The trust names roles, whatever the caller may do at home."""
    refused(lambda: there.credentials(there.account.operator("sts"), "deploy_stack"))


def test_a_role_there_makes_no_roles_and_reads_no_keys_that_its_function_need_not(there: There) -> None:
    trust = json.dumps({"Version": "2012-10-17", "Statement": []})
    iam = there.client("deploy_stack", "iam")
    refused(lambda: iam.create_role(RoleName="proxyctl-x-proxy-eu-west-1", AssumeRolePolicyDocument=trust))
    secrets = there.client("release_code", "secretsmanager")
    refused(lambda: secrets.get_secret_value(SecretId="proxyctl/dev/openai"))


def test_a_role_there_reaches_neither_the_records_nor_the_keys_of_the_control_planes_account(there: There) -> None:
    table = there.client("deploy_stack", "dynamodb", "eu-central-1")
    refused(lambda: table.scan(TableName=f"arn:aws:dynamodb:eu-central-1:{ACCOUNT}:table/proxyctl"))
    secrets = there.client("prepare_secret", "secretsmanager", "eu-central-1")
    home = f"arn:aws:secretsmanager:eu-central-1:{ACCOUNT}:secret:proxyctl/dev/openai-AbCdEf"
    refused(lambda: secrets.get_secret_value(SecretId=home))


def test_what_a_function_may_do_there_it_can(there: There) -> None:
    """Otherwise every refusal above might come from a role without any rights."""
    storage = there.client("package_artifact", "s3")
    storage.put_object(Bucket=there.aws.bucket, Key="artifacts/dev/x.zip", Body=b"zip")
    assert storage.get_object(Bucket=there.aws.bucket, Key="artifacts/dev/x.zip")["Body"].read() == b"zip"
    refused(lambda: storage.put_object(Bucket=there.aws.bucket, Key="controlplane/x", Body=b""))


def test_a_second_installation_changes_nothing_and_keeps_the_external_id(
    there: There, capsys: pytest.CaptureFixture[str]
) -> None:
    block = elsewhere.install(ROOT, there.aws, elsewhere.Wanted())
    assert Block(**block) == there.block
    assert "nothing to change" in capsys.readouterr().err


def test_the_control_planes_own_account_and_region_is_no_target(account: Account) -> None:
    aws = target.embedded(emulator.session("eu-central-1", account.operator_keys), account.cloud.endpoint)
    with pytest.raises(CannotStart, match="this control plane is installed"):
        elsewhere.install(ROOT, aws, elsewhere.Wanted(ACCOUNT))
    with pytest.raises(CannotStart, match=r"bootstrap\.py down"):
        elsewhere.remove(aws, force=False)


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        ({}, "--home ACCOUNT"),
        ({"home": "12"}, "twelve digits"),
        ({"home": ACCOUNT, "external_id": "a b"}, "--external-id"),
        (
            {"home": ACCOUNT, "others": choose.Wanted(f"arn:aws:iam::{ACCOUNT}:policy/ours")},
            f"no policy of account {OTHER}",
        ),
        ({"home": ACCOUNT, "others": choose.Wanted(f"arn:aws:iam::{OTHER}:role/ours")}, "no policy"),
        ({"home": ACCOUNT, "others": choose.Wanted(tags=("team",))}, "KEY=VALUE"),
        ({"home": ACCOUNT, "others": choose.Wanted(tags=("proxyctl:owner=me",))}, "reserved"),
        ({"home": ACCOUNT, "others": choose.Wanted(tags=("k" * 129 + "=v",))}, "KEY=VALUE"),
    ],
)
def test_wrong_values_are_refused_by_name(account: Account, wrong: dict[str, Any], text: str) -> None:
    aws = target.embedded(emulator.session("us-west-2", Keys(OTHER, "any")), account.cloud.endpoint)
    with pytest.raises(CannotStart, match=text):
        elsewhere.install(ROOT, aws, elsewhere.Wanted(**wrong))


def test_a_boundary_of_the_organisation_is_on_every_functions_role(account: Account) -> None:
    aws = target.embedded(emulator.session("us-west-2", Keys(OTHER, "any")), account.cloud.endpoint)
    allowed = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "logs:*", "Resource": "*"}]}
    iam = aws.client("iam")
    arn = iam.create_policy(PolicyName="ours", PolicyDocument=json.dumps(allowed))["Policy"]["Arn"]
    block = elsewhere.install(ROOT, aws, elsewhere.Wanted(ACCOUNT, SECRET_ID, choose.Wanted(arn, tags=("team=shop",))))
    name = Block(**block).role_of("release_code").rpartition("/")[2]
    role = iam.get_role(RoleName=name)["Role"]
    assert role["PermissionsBoundary"]["PermissionsBoundaryArn"] == arn
    there = There(account, aws, Block(**block))
    refused(lambda: there.client("release_code", "lambda", "us-west-2").get_function_configuration(FunctionName="x"))
    elsewhere.remove(aws, force=False)
