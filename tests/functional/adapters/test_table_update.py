"""An update of the control plane's template adds the index by status to a table that has records, and keeps them."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import boto3
import yaml
from chalicelib.adapters.records import DynamoRecords
from chalicelib.domain.model import DeploymentStatus

from tests.fakes import recorded

RESOURCES = Path(__file__).resolve().parents[3] / "statemachine" / "resources.yaml"
# What neither CloudFormation's emulator nor this test needs.
_LEFT_OUT = ("PointInTimeRecoverySpecification", "SSESpecification", "Tags")


def template(*, of_before: bool) -> str:
    """The table alone; of_before: as it was without the index by status."""
    table: dict[str, Any] = copy.deepcopy(yaml.safe_load(RESOURCES.read_text())["Resources"]["Table"])
    properties = {name: value for name, value in table["Properties"].items() if name not in _LEFT_OUT}
    if of_before:
        attributes, indices = properties["AttributeDefinitions"], properties["GlobalSecondaryIndexes"]
        properties["AttributeDefinitions"] = [each for each in attributes if each["AttributeName"] != "status"]
        properties["GlobalSecondaryIndexes"] = [each for each in indices if each["IndexName"] != "by_status"]
        assert len(properties["GlobalSecondaryIndexes"]) == len(indices) - 1
    return json.dumps({"Resources": {"Table": {**table, "Properties": properties}}})


def items() -> list[dict[str, Any]]:
    scanned: list[dict[str, Any]] = boto3.client("dynamodb").scan(TableName="proxyctl")["Items"]
    return sorted(scanned, key=lambda item: (item["pk"]["S"], item["sk"]["S"]))


def test_an_update_adds_the_index_and_keeps_what_is_on_record() -> None:
    stacks = boto3.client("cloudformation")
    stacks.create_stack(StackName="table", TemplateBody=template(of_before=True))
    stacks.get_waiter("stack_create_complete").wait(StackName="table", WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    for item in recorded.table():
        boto3.client("dynamodb").put_item(TableName="proxyctl", Item=item)
    before = items()
    stacks.update_stack(StackName="table", TemplateBody=template(of_before=False))
    stacks.get_waiter("stack_update_complete").wait(StackName="table", WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    assert items() == before
    records = DynamoRecords("proxyctl")
    every = records.deployments(None, None, 100, None).deployments
    assert len(every) == 14
    for status in DeploymentStatus:
        listed = records.deployments(None, status, 100, None).deployments
        assert [entry.id for entry in listed] == [entry.id for entry in every if entry.status is status], status
