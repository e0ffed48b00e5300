"""An account in the embedded cloud with the control plane's roles, an environment, and what nobody may touch."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
import yaml
from chalicelib.engine.policies import role_of

from local import emulator
from local.state import Keys
from local.strict import Strict
from tests.e2e.driving import ROOT, roles_template
from tests.functional.adapters.ministack import MiniStack, started

REGION, ACCOUNT = "eu-central-1", "000000000000"
BOUNDARY = f"arn:aws:iam::{ACCOUNT}:policy/proxyctl-environment-boundary-{REGION}"
STACKS_ROLE = f"arn:aws:iam::{ACCOUNT}:role/proxyctl-change-stacks-{REGION}"
_OWN = {"proxyctl:owner": "proxyctl"}
_TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"}
    ],
}
_ALL = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
EMPTY_TEMPLATE = json.dumps({"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}})


@dataclass
class Account:
    """The emulator with an operator, who may do everything; `control_api`, `environment_api`: ids of REST APIs."""

    cloud: MiniStack
    operator_keys: Keys
    control_api: str = ""
    environment_api: str = ""

    def operator(self, service: str) -> Any:
        return emulator.client(service, self.cloud.endpoint, REGION, self.operator_keys)

    def as_role(self, name: str, service: str) -> Any:
        """A client with the credentials of a role."""
        arn = f"arn:aws:iam::{ACCOUNT}:role/{name}"
        answer = self.operator("sts").assume_role(RoleArn=arn, RoleSessionName="attacker")["Credentials"]
        keys = Keys(answer["AccessKeyId"], answer["SecretAccessKey"])
        session = emulator.session(REGION, keys)
        return session.client(
            service, endpoint_url=self.cloud.endpoint, aws_session_token=answer["SessionToken"],
            aws_access_key_id=keys.access_key_id, aws_secret_access_key=keys.secret_access_key,
        )  # fmt: skip

    def role(self, stem: str) -> str:
        """The physical name of a policy's role."""
        return self.role_of(role_of(stem))

    def role_of(self, logical_id: str) -> str:
        """The physical name of a role of the control plane's template."""
        formation = self.operator("cloudformation")
        answer = formation.describe_stack_resource(StackName="proxyctl", LogicalResourceId=logical_id)
        return str(answer["StackResourceDetail"]["PhysicalResourceId"])

    def phase(self, stem: str, service: str) -> Any:
        """A client as the Lambda of a policy has it."""
        return self.as_role(self.role(stem), service)


@pytest.fixture(scope="module")
def account() -> Iterator[Account]:
    with started(REGION, ACCOUNT, Strict(iam_resources=True, passed_roles=True)) as cloud:
        created = Account(cloud, emulator.create_operator(cloud.endpoint, REGION, cloud.keys))
        _install(created)
        yield created


def _install(account: Account) -> None:
    formation, storage = account.operator("cloudformation"), account.operator("s3")
    storage.create_bucket(Bucket="templates", CreateBucketConfiguration={"LocationConstraint": REGION})
    storage.put_object(Bucket="templates", Key="roles.json", Body=json.dumps(roles_template(ACCOUNT)))
    formation.create_stack(
        StackName="proxyctl",
        TemplateURL=f"{account.cloud.endpoint}/templates/roles.json",
        Parameters=[{"ParameterKey": "BucketName", "ParameterValue": f"proxyctl-{ACCOUNT}-{REGION}"}],
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    formation.get_waiter("stack_create_complete").wait(StackName="proxyctl", WaiterConfig={"Delay": 1})
    gateway = account.operator("apigateway")
    account.control_api = gateway.create_rest_api(name="proxyctl", tags=_OWN)["id"]
    tags = {**_OWN, "proxyctl:environment": "dev"}
    account.environment_api = gateway.create_rest_api(name="proxyctl-dev", tags=tags)["id"]
    _deny_the_control_api(account)
    iam = account.operator("iam")
    for name, boundary in ((f"proxyctl-dev-proxy-{REGION}", BOUNDARY), (f"proxyctl-old-proxy-{REGION}", "")):
        bound = {"PermissionsBoundary": boundary} if boundary else {}
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(_TRUST), **bound)
    iam.create_role(RoleName="administrator", AssumeRolePolicyDocument=json.dumps(_TRUST))
    iam.put_role_policy(RoleName="administrator", PolicyName="all", PolicyDocument=json.dumps(_ALL))
    account.operator("dynamodb").create_table(
        TableName="proxyctl",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
    )
    secrets = account.operator("secretsmanager")
    for name in ("proxyctl/dev/openai", "proxyctl/dev/webhook", "payroll/database"):
        secrets.create_secret(Name=name, SecretString="sk-canary-0123456789abcdef")


def _deny_the_control_api(account: Account) -> None:
    """The second policy of CloudFormation's role, and that of the phases, as the control plane's template has them."""
    resources = yaml.safe_load((ROOT / "statemachine" / "resources.yaml").read_text())["Resources"]
    (of_stacks,) = resources["ChangeStacksRole"]["Properties"]["Policies"]
    of_phases = resources["NeverTheControlApi"]["Properties"]
    _put(account, STACKS_ROLE.rpartition("/")[2], of_stacks)
    for role in of_phases["Roles"]:
        _put(account, account.role_of(role["Ref"]), of_phases)


def _put(account: Account, role: str, policy: Mapping[str, Any]) -> None:
    text = json.dumps(policy["PolicyDocument"])
    for name, value in (("AWS::Partition", "aws"), ("AWS::Region", REGION), ("RestAPI", account.control_api)):
        text = text.replace(f"${{{name}}}", value)
    document = json.loads(text)
    for statement in document["Statement"]:
        statement["Resource"] = [resource["Fn::Sub"] for resource in statement["Resource"]]
    account.operator("iam").put_role_policy(
        RoleName=role, PolicyName=policy["PolicyName"], PolicyDocument=json.dumps(document)
    )
