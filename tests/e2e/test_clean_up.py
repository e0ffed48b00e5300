"""An environment goes as it came. It is one of this module's own: other tests go on with theirs."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.e2e.rolling import Embedded, Rolled, phase, roll


@pytest.fixture(scope="module")
def rolled(embedded: Embedded) -> Rolled:
    embedded.client.put_secret("leaving", embedded.secret())
    return Rolled(embedded, "leaving", roll(embedded, "leaving"))


def left(rolled: Rolled) -> dict[str, Any]:
    """Everything of the environment that can be found by name or by tag, asked of each service itself."""
    boto, name = rolled.embedded.boto, rolled.environment
    tagged = boto("resourcegroupstaggingapi").get_resources(
        TagFilters=[{"Key": "proxyctl:environment", "Values": [name]}]
    )["ResourceTagMappingList"]
    logs = boto("logs")
    result = {
        "tagged": [entry["ResourceARN"] for entry in tagged],
        "stacks": [
            stack["StackName"]
            for stack in boto("cloudformation").describe_stacks()["Stacks"]
            if stack["StackName"] == f"proxyctl-env-{name}"
        ],
        "functions": [
            entry["FunctionName"]
            for entry in boto("lambda").list_functions()["Functions"]
            if entry["FunctionName"] == f"proxyctl-{name}-proxy"
        ],
        "log groups": [
            group["logGroupName"]
            for prefix in (f"/aws/lambda/proxyctl-{name}-proxy", f"/aws/apigateway/proxyctl-{name}")
            for group in logs.describe_log_groups(logGroupNamePrefix=prefix)["logGroups"]
        ],
        "alarms": [
            alarm["AlarmName"]
            for alarm in boto("cloudwatch").describe_alarms(AlarmNamePrefix=f"proxyctl/{name}/")["MetricAlarms"]
        ],
        "objects": [
            item["Key"]
            for item in boto("s3")
            .list_objects_v2(Bucket=rolled.embedded.aws.bucket, Prefix=f"artifacts/{name}/")
            .get("Contents", [])
        ],
        "topics": [
            topic["TopicArn"]
            for topic in boto("sns").list_topics()["Topics"]
            if topic["TopicArn"].endswith(f":proxyctl-{name}-alarms")
        ],
        "secret": _secret(rolled),
    }
    return {what: names for what, names in result.items() if names}


def _secret(rolled: Rolled) -> list[str]:
    try:
        rolled.embedded.boto("secretsmanager").describe_secret(SecretId=f"proxyctl/{rolled.environment}/openai")
    except ClientError:
        return []
    return ["the secret"]


def test_clean_up_removes_everything_and_proves_it(rolled: Rolled) -> None:
    assert left(rolled)
    options = {"remove_secret": True, "secret_recovery_days": 0}
    deployment = roll(rolled.embedded, rolled.environment, "cleanup", options=options)
    assert deployment["status"] == "SUCCEEDED", deployment.get("error")
    assert phase(deployment, "clean_up")["status"] == "SUCCEEDED"
    assert left(rolled) == {}
    stands = rolled.stands()
    assert (stands["status"], stands.get("live")) == ("REMOVED", None)


def test_clean_up_again_has_nothing_to_do(rolled: Rolled) -> None:
    deployment = roll(rolled.embedded, rolled.environment, "cleanup", options={"remove_secret": True})
    assert deployment["status"] == "SUCCEEDED", deployment.get("error")
