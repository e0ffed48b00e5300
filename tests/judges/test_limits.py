"""A request that breaks one of AWS's limits is refused before it is sent; one at the limit passes."""

from __future__ import annotations

from typing import Any

import boto3
import pytest

from tests.limits import RequestRefused, check

HASH = "a" * 64


def send(service: str, operation: str, **params: Any) -> None:
    client = boto3.client(service, region_name="eu-central-1", aws_access_key_id="a", aws_secret_access_key="b")
    check(params, client.meta.service_model.operation_model(operation))


ALARM = {"ComparisonOperator": "GreaterThanThreshold", "EvaluationPeriods": 1, "MetricName": "m", "Namespace": "n"}


@pytest.mark.parametrize(
    ("service", "operation", "good", "bad"),
    [
        ("lambda", "UpdateAlias", {"FunctionName": "f" * 64, "Name": "live"}, {"FunctionName": "f", "Name": "l!ve"}),
        ("stepfunctions", "StartExecution", {"stateMachineArn": "a", "name": "n" * 80}, {"name": "n" * 81}),
        ("cloudwatch", "PutMetricAlarm", {**ALARM, "AlarmName": "a" * 255}, {**ALARM, "AlarmName": "a" * 256}),
        ("cloudwatch", "SetAlarmState", {"StateValue": "ALARM"}, {"StateValue": "RINGING"}),
        ("logs", "PutRetentionPolicy", {"logGroupName": "/aws/lambda/x"}, {"logGroupName": "no blanks"}),
        ("secretsmanager", "CreateSecret", {"Name": "n" * 512}, {"Name": "n" * 513}),
        ("dynamodb", "Query", {"Limit": 1}, {"Limit": 0}),
        ("iam", "GetRole", {"RoleName": "r" * 64}, {"RoleName": "r" * 65}),
        ("cloudformation", "CreateChangeSet", {"ChangeSetName": "proxyctl-1"}, {"ChangeSetName": "1-proxyctl"}),
        ("dynamodb", "TransactWriteItems", {"TransactItems": [{}] * 100}, {"TransactItems": [{}] * 101}),
    ],
)
def test_a_value_beyond_the_limit_is_refused(service: str, operation: str, good: Any, bad: Any) -> None:
    send(service, operation, **good)
    with pytest.raises(RequestRefused):
        send(service, operation, **bad)


def test_every_client_of_the_tests_is_watched() -> None:
    client = boto3.client("iam", region_name="eu-central-1", aws_access_key_id="a", aws_secret_access_key="b")
    with pytest.raises(RequestRefused, match="RoleName: 65 characters is above 64"):
        client.get_role(RoleName="r" * 65)
