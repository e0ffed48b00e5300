"""What is read from AWS beside the control API's own records."""

import http.client
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from installer.target import Target

_PERIOD_S = 60
_METRICS_LIMIT_S = 240.0  # CloudWatch shows Lambda's and API Gateway's metrics some minutes late


def invocations(aws: Target, function: str, versions: tuple[str, ...]) -> Mapping[str, float]:
    """Invocations of the alias `live` by version, in the last half hour; waits until CloudWatch shows two versions."""
    deadline, pause_s, counts = time.monotonic() + _METRICS_LIMIT_S, 10.0, dict.fromkeys(versions, 0.0)
    while sum(count > 0 for count in counts.values()) < len(versions) and time.monotonic() < deadline:
        for version in versions:
            dimensions = {"FunctionName": function, "Resource": f"{function}:live", "ExecutedVersion": version}
            counts[version] = total(aws, "AWS/Lambda", "Invocations", dimensions)
        time.sleep(0 if all(counts.values()) else pause_s)
        pause_s = min(pause_s * 1.5, 60.0)
    return counts


def total(aws: Target, namespace: str, metric: str, dimensions: Mapping[str, str]) -> float:
    """Sum of a metric in the last half hour."""
    now = datetime.now(UTC)
    points = aws.client("cloudwatch").get_metric_statistics(
        Namespace=namespace,
        MetricName=metric,
        Dimensions=[{"Name": name, "Value": value} for name, value in dimensions.items()],
        StartTime=now - timedelta(minutes=30),
        EndTime=now,
        Period=_PERIOD_S,
        Statistics=["Sum"],
    )["Datapoints"]
    return float(sum(point["Sum"] for point in points))


def emf_metrics(aws: Target, environment: str) -> int:
    """How many metrics the environment has in the proxy's namespace."""
    pages = (
        aws.client("cloudwatch")
        .get_paginator("list_metrics")
        .paginate(Namespace="proxyctl", Dimensions=[{"Name": "environment", "Value": environment}])
    )
    return sum(len(page["Metrics"]) for page in pages)


def log_lines(aws: Target, group: str, pattern: str) -> int:
    """How many lines of a log group match a filter pattern."""
    pages = aws.client("logs").get_paginator("filter_log_events").paginate(logGroupName=group, filterPattern=pattern)
    return sum(len(page["events"]) for page in pages)


def error_names(aws: Target, execution_arn: str) -> tuple[str, ...]:
    """Names of the errors of Lambda tasks in an execution."""
    pages = aws.client("stepfunctions").get_paginator("get_execution_history").paginate(executionArn=execution_arn)
    details = [
        event[key]
        for page in pages
        for event in page["events"]
        for key in ("lambdaFunctionFailedEventDetails", "taskFailedEventDetails")
        if key in event
    ]
    return tuple(str(detail.get("error", "")) for detail in details)


def revisions(aws: Target, function: str) -> tuple[str, str]:
    """RevisionIds of the alias `candidate` before and after it is set to the version that it is on."""
    client = aws.client("lambda")
    alias = client.get_alias(FunctionName=function, Name="candidate")
    again = client.update_alias(FunctionName=function, Name="candidate", FunctionVersion=alias["FunctionVersion"])
    return str(alias["RevisionId"]), str(again["RevisionId"])


def stage_rate(aws: Target, outputs: Mapping[str, str]) -> float:
    """Requests a second that the environment's stage lets through."""
    stage = aws.client("apigateway").get_stage(restApiId=outputs["ApiId"], stageName=outputs["StageName"])
    return float(stage["methodSettings"]["*/*"]["throttlingRateLimit"])


def forbidden_headers(api_url: str) -> dict[str, str]:
    """Headers of API Gateway's own 403: the candidate's path without a signature."""
    parts = urlsplit(api_url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.netloc, timeout=30)
    try:
        connection.request("GET", f"{parts.path}/_candidate/health")
        reply = connection.getresponse()
        reply.read()
        return {name.lower(): value for name, value in reply.headers.items()}
    finally:
        connection.close()


def leftovers(aws: Target, environment: str) -> list[str]:
    """What still carries the environment's name: log groups, alarms, secrets not scheduled to go, the stack."""
    name = f"proxyctl-{environment}-proxy"
    logs, alarms = aws.client("logs"), aws.client("cloudwatch")
    groups = logs.describe_log_groups(logGroupNamePrefix=f"/aws/lambda/{name}")["logGroups"]
    remaining = [str(group["logGroupName"]) for group in groups]
    prefix = f"proxyctl/{environment}/"
    remaining += [str(item["AlarmName"]) for item in alarms.describe_alarms(AlarmNamePrefix=prefix)["MetricAlarms"]]
    secrets = aws.client("secretsmanager").list_secrets(Filters=[{"Key": "name", "Values": [prefix]}])["SecretList"]
    remaining += [str(secret["Name"]) for secret in secrets if not secret.get("DeletedDate")]
    stacks = aws.client("cloudformation").get_paginator("describe_stacks").paginate()
    names = [str(stack["StackName"]) for page in stacks for stack in page["Stacks"]]
    return remaining + [stack for stack in names if stack == f"proxyctl-env-{environment}"]
