"""What a recorded call needs of IAM: actions on resources, from the operation and its parameters.

Recorded by `local/recording/sitecustomize.py`. Mostly the action has the operation's name; where AWS differs, the
tables here say so (source: Service Authorization Reference).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

_DENIED = ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation")
_NO_OBJECT = ("404", "NoSuchKey")
_PREFIXES = {"monitoring": "cloudwatch", "tagging": "tag"}
_NAMED_OTHERWISE: Mapping[str, tuple[str, ...]] = {
    "s3:HeadObject": ("s3:GetObject",),
    "s3:ListObjectsV2": ("s3:ListBucket",),
    "s3:DeleteObjects": ("s3:DeleteObject",),
    "sqs:DeleteMessageBatch": ("sqs:DeleteMessage",),
    "sts:GetCallerIdentity": (),  # needs no permission
    "lambda:Invoke": ("lambda:InvokeFunction",),
}
# A parameter that is authorised as an action of its own. S3 looks at the header, empty or not.
_ALSO: Mapping[tuple[str, str], str] = {
    ("s3:PutObject", "Tagging"): "s3:PutObjectTagging",
    ("cloudwatch:PutMetricAlarm", "Tags"): "cloudwatch:TagResource",
    ("sns:CreateTopic", "Tags"): "sns:TagResource",
    ("sqs:CreateQueue", "tags"): "sqs:TagQueue",
    ("secretsmanager:CreateSecret", "Tags"): "secretsmanager:TagResource",
}
_TRANSACTION = {
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "Get": "GetItem",
    "ConditionCheck": "ConditionCheckItem",
}
_LOGS_OF_ALL = ("DescribeLogGroups", "DescribeQueryDefinitions", "PutQueryDefinition", "DeleteQueryDefinition")


@dataclass(frozen=True, slots=True)
class Place:
    """Where the recorded cloud is."""

    region: str = "eu-central-1"
    account: str = "000000000000"

    @property
    def boundary(self) -> str:
        """The permissions boundary of the roles of environments."""
        return f"arn:aws:iam::{self.account}:policy/proxyctl-environment-boundary-{self.region}"

    @property
    def guard(self) -> str:
        """The denials on roles of environments that carry a customer's boundary."""
        return f"arn:aws:iam::{self.account}:policy/proxyctl-environment-guard-{self.region}"

    def arn(self, service: str, resource: str) -> str:
        """An ARN with region and account."""
        return f"arn:aws:{service}:{self.region}:{self.account}:{resource}"


@dataclass(frozen=True)
class Call:
    """function: the physical name of the Lambda. code: the error's, "" for an answer. beyond: parameters that exceed
    AWS's limits. region, account: of a call that the function's role in a target makes; "" at home."""

    function: str
    service: str
    operation: str
    params: Mapping[str, Any]
    http: Mapping[str, str]
    code: str
    beyond: Sequence[str] = ()
    region: str = ""
    account: str = ""

    @property
    def target(self) -> Place | None:
        """The target in which the call was made; None for a call at home."""
        return Place(self.region, self.account) if self.account else None

    @property
    def stem(self) -> str:
        """The Lambda as its policy file is called: `proxyctl-LoadTest-1A2B` is `load_test`."""
        name = self.function.removeprefix("proxyctl-").partition("-")[0]
        return "api" if name == "APIHandler" else re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


@dataclass(frozen=True)
class Need:
    """One action on one resource by one role. allowed: what the recorded cloud said. context: condition keys."""

    stem: str
    action: str
    resource: str
    allowed: bool = True
    context: Mapping[str, str] = field(default_factory=dict, hash=False)


def read(folder: Path) -> list[Call]:
    """Every call that the session's clouds recorded, each once."""
    lines = {line for path in folder.glob("*.jsonl") for line in path.read_text().splitlines()}
    return [Call(**json.loads(line)) for line in sorted(lines)]


def needs(calls: Iterable[Call], place: Place) -> list[Need]:
    """What they need, each need once, sorted."""
    unique = {need for call in calls for need in of(call, place)}
    return sorted(unique, key=lambda need: (need.stem, need.action, need.resource, need.allowed))


def of(call: Call, place: Place) -> Iterator[Need]:
    """What one call needs."""
    service = _PREFIXES.get(call.service, call.service)
    allowed = call.code not in _DENIED
    for action, resource, context in _authorised(service, call, place):
        yield Need(call.stem, action, resource, allowed, context)


def _authorised(service: str, call: Call, place: Place) -> Iterator[tuple[str, str, Mapping[str, str]]]:
    name, params = f"{service}:{call.operation}", call.params
    if service == "dynamodb":
        yield from ((action, resource, {}) for action, resource in _dynamodb(call, place))
        return
    if service == "apigateway":
        yield f"apigateway:{call.http['method']}", _api_path(call, place), _tag_of_api(call)
        return
    context = _context(service, call, place)
    for resource in _resources(service, call, place):
        for action in _NAMED_OTHERWISE.get(name, (name,)):
            yield action, resource, context
        for (which, parameter), action in _ALSO.items():
            if which == name and parameter in params:
                yield action, resource, {}
    if call.operation in ("HeadObject", "GetObject") and call.code in _NO_OBJECT:
        # Who may not list the bucket gets 403 for an object that is not there (S3 API Reference, HeadObject).
        yield "s3:ListBucket", f"arn:aws:s3:::{params['Bucket']}", {}
    if service == "cloudformation" and "RoleARN" in params:
        yield "iam:PassRole", str(params["RoleARN"]), {"iam:PassedToService": "cloudformation.amazonaws.com"}
    if name == "lambda:UpdateFunctionCode" and "S3Key" in params:
        # Lambda fetches the code in the name of who updates it.
        yield "s3:GetObject", f"arn:aws:s3:::{params['S3Bucket']}/{params['S3Key']}", {}


def _dynamodb(call: Call, place: Place) -> Iterator[tuple[str, str]]:
    if "TransactItems" in call.params:
        for item in call.params["TransactItems"]:
            for kind, table in item.items():
                yield f"dynamodb:{_TRANSACTION[kind]}", place.arn("dynamodb", f"table/{table}")
        return
    for table in call.params.get("RequestItems") or [call.params["TableName"]]:
        index = f"/index/{call.params['IndexName']}" if "IndexName" in call.params else ""
        yield f"dynamodb:{call.operation}", place.arn("dynamodb", f"table/{table}{index}")


def _api_path(call: Call, place: Place) -> str:
    path = call.http["path"].partition("?")[0]
    for name, value in (("restapi_id", "restApiId"), ("stage_name", "stageName")):
        path = path.replace(f"{{{name}}}", str(call.params.get(value, "")))
    return f"arn:aws:apigateway:{place.region}::{path}"


def _tag_of_api(call: Call) -> dict[str, str]:
    """The tag of the API that the call is about, which counts for all that is in it (API Gateway Developer Guide,
    "Using tags to control access"). The control API has another: a call that the cloud denied there disagrees."""
    return {"aws:ResourceTag/proxyctl:environment": "dev"} if "restApiId" in call.params else {}


def _context(service: str, call: Call, place: Place) -> dict[str, str]:
    """Condition keys: a listing's prefix; the tag of a secret that is not under our own name, and so adopted; name and
    role of a change set; a role's boundary."""
    if service == "cloudformation":
        keys = {"ChangeSetName": "cloudformation:ChangeSetName", "RoleARN": "cloudformation:RoleArn"}
        return {key: str(call.params[name]) for name, key in keys.items() if name in call.params}
    if "ExternalId" in call.params:
        return {"sts:ExternalId": str(call.params["ExternalId"])}
    if "PermissionsBoundary" in call.params:
        return {"iam:PermissionsBoundary": str(call.params["PermissionsBoundary"])}
    if call.operation == "ListObjectsV2":
        return {"s3:prefix": str(call.params.get("Prefix", ""))}
    if service == "secretsmanager" and ":secret:proxyctl/" not in _secret(call, place):
        return {"aws:ResourceTag/proxyctl:owner": "proxyctl"}
    return {}


def _secret(call: Call, place: Place) -> str:
    secret = str(call.params.get("SecretId") or call.params.get("Name", ""))
    if secret.startswith("arn:"):
        return secret
    # A secret that does not exist is authorised by its name alone, without the suffix that it would have.
    suffix = "" if call.code == "ResourceNotFoundException" else "-AbCdEf"
    return place.arn("secretsmanager", f"secret:{secret}{suffix}")


def _resources(service: str, call: Call, place: Place) -> list[str]:
    params, operation = call.params, call.operation
    match service:
        case "s3":
            bucket = f"arn:aws:s3:::{params['Bucket']}"
            keys = params.get("Delete") or ([params["Key"]] if "Key" in params else [])
            return [f"{bucket}/{key}" for key in keys] or [bucket]
        case "cloudformation" if "StackName" in params:
            name = str(params["StackName"])
            return [name if name.startswith("arn:") else place.arn("cloudformation", f"stack/{name}/1a2b")]
        case "cloudformation" if str(params.get("ChangeSetName", "")).startswith("arn:"):
            return [str(params["ChangeSetName"])]
        case "lambda" if "FunctionName" in params:
            name = str(params["FunctionName"])
            qualifier = f":{params['Qualifier']}" if params.get("Qualifier") else ""
            return [(name if name.startswith("arn:") else place.arn("lambda", f"function:{name}")) + qualifier]
        case "sts" if "RoleArn" in params:
            return [str(params["RoleArn"])]
        case "iam":
            return [str(params.get("PolicySourceArn") or f"arn:aws:iam::{place.account}:role/{params.get('RoleName')}")]
        case "secretsmanager":
            return [_secret(call, place)]
        case "logs" if operation not in _LOGS_OF_ALL:
            return [place.arn("logs", f"log-group:{params['logGroupName']}")] if "logGroupName" in params else ["*"]
        case "cloudwatch":
            return _cloudwatch(params, place)
        case "sns" if "TopicArn" in params or "Name" in params:
            return [str(params.get("TopicArn") or place.arn("sns", str(params["Name"])))]
        case "sqs" if "QueueUrl" in params or "QueueName" in params:
            queue = params.get("QueueName") or str(params["QueueUrl"]).rpartition("/")[2]
            return [place.arn("sqs", str(queue))]
        case "states" if "stateMachineArn" in params or "executionArn" in params:
            return [str(params.get("stateMachineArn") or params["executionArn"])]
        case "events" if operation == "PutEvents":
            return [place.arn("events", "event-bus/default")]
        case "execute-api":
            return [_invoked(call, place)]
        case _:
            return ["*"]


def _cloudwatch(params: Mapping[str, Any], place: Place) -> list[str]:
    boards = [*params.get("DashboardNames", ()), *([params["DashboardName"]] if "DashboardName" in params else ())]
    alarms = [*params.get("AlarmNames", ()), *([params["AlarmName"]] if "AlarmName" in params else ())]
    resources = [f"arn:aws:cloudwatch::{place.account}:dashboard/{board}" for board in boards]
    resources += [place.arn("cloudwatch", f"alarm:{alarm}") for alarm in alarms]
    return resources or (["*"] if "AlarmNamePrefix" not in params else [place.arn("cloudwatch", "alarm:*")])


def _invoked(call: Call, place: Place) -> str:
    """The embedded cloud's address of an API is `/_aws/execute-api/<api>/<stage>/<path>`."""
    parts = urlsplit(call.http["path"]).path.split("/", 5)
    api, stage, path = parts[3], parts[4], parts[5] if len(parts) > 5 else ""
    return place.arn("execute-api", f"{api}/{stage}/{call.http['method']}/{path}")
