"""A control plane's stack that was deleted by mistake is installed again, over the table that stayed (MiniStack)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml

from installer import retained
from installer.errors import CannotStart
from installer.retained import Import
from installer.stack import Deployer
from installer.target import Target
from tests.functional.adapters.ministack import MiniStack, started

ACCOUNT, REGION = "123456789012", "eu-central-1"
HOME = yaml.safe_load((Path(__file__).parents[3] / "statemachine" / "resources.yaml").read_text())
RESOURCES = HOME["Resources"]
TEMPLATE: Any = {
    "AWSTemplateFormatVersion": "2010-09-09",
    "Parameters": {"KmsKeyArn": HOME["Parameters"]["KmsKeyArn"]},
    "Conditions": {"HasKey": HOME["Conditions"]["HasKey"]},
    "Resources": {
        "Table": RESOURCES["Table"],
        "Other": {"Type": "AWS::SSM::Parameter", "Properties": {"Name": "other", "Type": "String", "Value": "1"}},
    },
    "Outputs": {"Stream": {"Value": {"Fn::GetAtt": ["Table", "StreamArn"]}}},
}
ITEM = {"pk": {"S": "ENVIRONMENT#prod"}, "sk": {"S": "META"}}


@pytest.fixture(scope="module")
def ministack() -> Iterator[MiniStack]:
    with started(REGION, ACCOUNT) as running:
        yield running


@pytest.fixture
def aws(ministack: MiniStack) -> Iterator[Target]:
    keys = ministack.keys
    session = boto3.session.Session(keys.access_key_id, keys.secret_access_key, region_name=REGION)
    yield Target(session, ACCOUNT, REGION, "aws", "arn:caller", ministack.endpoint, explicit=True)
    ministack.reset()


def template_url(aws: Target) -> str:
    s3 = aws.client("s3")
    s3.create_bucket(Bucket="templates", CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_object(Bucket="templates", Key="t.json", Body=json.dumps(TEMPLATE).encode())
    return f"{aws.endpoint}/templates/t.json"


def deployer(aws: Target, said: list[str]) -> Deployer:
    return Deployer(aws.client("cloudformation"), sleep=lambda _: None, progress=said.append)


def test_up_imports_the_table_of_a_stack_that_was_deleted_by_mistake(aws: Target) -> None:
    url, said = template_url(aws), list[str]()
    assert retained.existing(aws, TEMPLATE) is None
    deployer(aws, said).deploy(url, {}, "up-1", retained.existing(aws, TEMPLATE))
    aws.client("dynamodb").put_item(TableName="proxyctl", Item=ITEM)
    deployer(aws, said).delete()
    left = retained.existing(aws, TEMPLATE)
    assert left is not None
    outcome = deployer(aws, said).deploy(url, {}, "up-2", left)
    assert outcome.changed
    assert outcome.outputs["Stream"].startswith("arn:aws:dynamodb:")
    assert aws.client("dynamodb").get_item(TableName="proxyctl", Key=ITEM)["Item"] == ITEM
    resources = aws.client("cloudformation").list_stack_resources(StackName="proxyctl")["StackResourceSummaries"]
    assert {each["LogicalResourceId"]: each["PhysicalResourceId"] for each in resources}["Table"] == "proxyctl"
    assert "stack proxyctl: importing what an earlier one has left (Table)" in said
    # From then on it is a stack like any other.
    assert not deployer(aws, said).deploy(url, {}, "up-3", retained.existing(aws, TEMPLATE)).changed


def test_a_table_of_someone_elses_is_not_taken_over(aws: Target) -> None:
    declared = TEMPLATE["Resources"]["Table"]["Properties"]
    names = ("TableName", "BillingMode", "AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes")
    aws.client("dynamodb").create_table(**{name: declared[name] for name in names})
    with pytest.raises(CannotStart, match="lacks the tag"):
        retained.existing(aws, TEMPLATE)


def test_everything_that_the_control_planes_template_retains_can_be_imported() -> None:
    """By name alone: the template of an import holds these resources, and the parameters that they refer to."""
    kept = retained.of({"Resources": RESOURCES})
    assert set(kept) == {"Table"}
    for resource in kept.values():
        assert list(retained.identifier(resource).values()) == ["proxyctl"]
        text = json.dumps(resource)
        assert set(re.findall(r'"(Fn::\w+)"', text)) <= {"Fn::If"}
        assert set(re.findall(r'"Ref": "([\w:]+)"', text)) <= {*HOME["Parameters"], "AWS::NoValue"}
        assert set(re.findall(r'"Fn::If": \["(\w+)"', text)) <= set(HOME["Conditions"])


def test_an_import_holds_the_retained_resources_only(aws: Target) -> None:
    deployer(aws, []).deploy(template_url(aws), {}, "up-1")
    left = retained.existing(aws, TEMPLATE)
    assert isinstance(left, Import)
    assert set(json.loads(left.template)["Resources"]) == {"Table"}
    assert left.resources == (
        {
            "ResourceType": "AWS::DynamoDB::Table",
            "LogicalResourceId": "Table",
            "ResourceIdentifier": {"TableName": "proxyctl"},
        },
    )
