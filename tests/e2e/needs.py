"""What the phases' calls need of IAM, and which statements of their policies nothing needs.

A call of boto3's is authorised as an action on a resource. Mostly both follow from its name and parameters; where AWS
differs, the tables here say so (source: the Service Authorization Reference).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from chalicelib.phases.preflight.grants import Grant, grants

from tests.e2e.driving import DEPLOY, POLICIES, RecordedCall

# What every Lambda of the control plane needs whatever its phase does: its log, and the runner's records.
EVERYWHERE = {"WriteOwnLog", "KeepRecords"}
# Needed where the embedded cloud does not go: an account's own key, or another's secret.
ELSEWHERE = {
    "SeeAnAdoptedSecret": "an adopted secret",
    "CheckAnAdoptedSecret": "an adopted secret",
    "DecryptAnAdoptedSecret": "an adopted secret with a key of its own",
    "BindTheRole": "a role that an earlier version made, without the boundary",
    "SettleTheStack": "a rollback that failed",
    "RemoveLogGroups": "a log group that a late call writes again after the stack deleted it",
    "ReadTheProxysLog": "an account, where traffic is split between two versions",
    "CancelTheDeletionOfTheSecret": "a secret whose deletion someone scheduled",
    "MakeDeletedStagesAgain": "a stage that someone deleted",
    "RememberWhatRolesMayDo": "an item of its own, which leading keys tell from those of KeepRecords",
    "MakeDeletedLogGroupsAgain": "log groups that somebody deleted (test_underneath.py)",
    "TagDeletedStages": "stages that somebody deleted (test_underneath.py)",
    "ActInTargets": "an environment in another account or region (test_targets.py)",
    "StorePromotedModels": "a promotion (test_fleet.py)",
    "SeeDomains": "an environment with a domain (test_address.py)",
    "SeeTheZone": "an environment with a domain (test_address.py)",
    "SeeTheCertificate": "an environment with a domain (test_address.py)",
    "SeeTheWebAcl": "an environment with a web ACL (test_address.py)",
    "FilterTheTopic": "a recipient whom an older version has subscribed",
}
_NAMESPACES = {"monitoring": "cloudwatch", "tagging": "tag"}
_NAMED_OTHERWISE = {
    "s3:HeadObject": ["s3:GetObject"],
    "s3:ListObjectsV2": ["s3:ListBucket"],
    "s3:DeleteObjects": ["s3:DeleteObject"],
    "sqs:DeleteMessageBatch": ["sqs:DeleteMessage"],
    "sts:GetCallerIdentity": [],
    "apigateway:GetAccount": ["apigateway:GET"],
    "apigateway:GetRestApis": ["apigateway:GET"],
    "apigateway:GetStage": ["apigateway:GET"],
    "apigateway:GetRestApi": ["apigateway:GET"],
    "apigateway:CreateStage": ["apigateway:POST"],
    "apigateway:UpdateStage": ["apigateway:PATCH"],
}
# Given with the call, and authorised as actions of their own.
_ALSO = {
    ("s3:PutObject", "Tagging"): "s3:PutObjectTagging",
    ("cloudwatch:PutMetricAlarm", "Tags"): "cloudwatch:TagResource",
    ("sns:CreateTopic", "Tags"): "sns:TagResource",
    ("sqs:CreateQueue", "tags"): "sqs:TagQueue",
}
_ARTIFACT = "arn:aws:s3:::proxyctl-{account}-{region}/artifacts/dev/a.zip"


@dataclass(frozen=True)
class Need:
    """One action on one resource, needed by a phase; "" is a resource that only the service knows."""

    phase: str
    action: str
    resource: str


def unused_statements(calls: Iterable[RecordedCall], region: str, account: str) -> list[str]:
    """`policy/Sid` of the statements without which every call would still have been allowed."""
    needs = {need for call in calls for need in _of(call, region, account)}
    needs |= set(_signed(region, account))
    variables = {
        "AWS::Partition": "aws",
        "AWS::Region": region,
        "AWS::AccountId": account,
        "AWS::URLSuffix": "amazonaws.com",
        "BucketName": f"proxyctl-{account}-{region}",
    }
    unused = []
    for phase in DEPLOY:
        given = grants(phase, POLICIES[phase], variables)
        own = [need for need in needs if need.phase == phase]
        for grant in given:
            others = [item for item in given if item is not grant]
            missed = [need for need in own if _allows([grant], need) and not _allows(others, need)]
            if not missed and grant.sid not in EVERYWHERE | set(ELSEWHERE):
                unused.append(f"{phase}/{grant.sid}")
    return unused


def _allows(given: Sequence[Grant], need: Need) -> bool:
    # Nothing that the tests make carries the tag that adopts a secret, so those statements allow none of its calls.
    plain = [grant for grant in given if not any(key.startswith("aws:ResourceTag/") for key in grant.context)]
    return any(
        need.action in grant.actions and any(fnmatchcase(need.resource, pattern) for pattern in grant.resources)
        for grant in plain
    )


def _of(call: RecordedCall, region: str, account: str) -> Iterable[Need]:
    service = _NAMESPACES.get(call.service, call.service)
    name = f"{service}:{call.operation}"
    actions = [*_NAMED_OTHERWISE.get(name, [name])]
    actions += [also for (which, given), also in _ALSO.items() if which == name and call.params.get(given)]
    resource = _resource(service, call.operation, call.params, region, account)
    if name in ("s3:HeadObject", "s3:GetObject"):
        # Who may not list gets 403 for an object that is not there, and could not tell it from one that is forbidden.
        yield Need(call.phase, "s3:ListBucket", resource.rpartition(":::")[0] + ":::" + call.params["Bucket"])
    yield from (Need(call.phase, action, resource) for action in actions)
    if service == "cloudformation" and "RoleARN" in call.params:
        yield Need(call.phase, "iam:PassRole", call.params["RoleARN"])


def _resource(service: str, operation: str, params: Mapping[str, Any], region: str, account: str) -> str:
    here = f"{region}:{account}"
    if service == "s3":
        key = params.get("Key") or next((item["Key"] for item in params.get("Delete", {}).get("Objects", [])), "")
        return f"arn:aws:s3:::{params['Bucket']}" + (f"/{key}" if key else "")
    if service == "dynamodb":
        return f"arn:aws:dynamodb:{here}:table/{params['TableName']}"
    if service == "cloudformation" and "StackName" in params:
        name = params["StackName"]
        return str(name) if name.startswith("arn:") else f"arn:aws:cloudformation:{here}:stack/{name}/1"
    if service == "lambda" and "FunctionName" in params:
        qualifier = f":{params['Qualifier']}" if params.get("Qualifier") else ""
        return f"arn:aws:lambda:{here}:function:{params['FunctionName']}{qualifier}"
    if service == "iam":
        return str(params.get("PolicySourceArn") or f"arn:aws:iam::{account}:role/{params['RoleName']}")
    if service == "secretsmanager":
        secret = params.get("SecretId") or params["Name"]
        return secret if secret.startswith("arn:") else f"arn:aws:secretsmanager:{here}:secret:{secret}-AbCdEf"
    if service == "logs":
        group = params.get("logGroupName", "any" if operation == "DescribeLogGroups" else "")
        return f"arn:aws:logs:{here}:log-group:{group}" if group else "*"
    if service == "cloudwatch":
        alarms = params.get("AlarmNames") or [params.get("AlarmName", params.get("AlarmNamePrefix", ""))]
        boards = params.get("DashboardNames") or [params.get("DashboardName", "")]
        if boards[0]:
            return f"arn:aws:cloudwatch::{account}:dashboard/{boards[0]}"
        return f"arn:aws:cloudwatch:{here}:alarm:{alarms[0]}" if alarms[0] else "*"
    if service == "sns":
        return str(params.get("TopicArn") or (f"arn:aws:sns:{here}:{params['Name']}" if "Name" in params else "*"))
    if service == "sqs":
        queue = params.get("QueueName") or params.get("QueueUrl", "").rpartition("/")[2]
        return f"arn:aws:sqs:{here}:{queue}" if queue else "*"
    if service == "apigateway":
        path = "/account" if operation == "GetAccount" else "/restapis"
        path += f"/{params['restApiId']}" if "restApiId" in params else ""
        if "stageName" in params:
            path += "/stages" if operation == "CreateStage" else f"/stages/{params['stageName']}"
        return f"arn:aws:apigateway:{region}::{path}"
    return "*"


def _signed(region: str, account: str) -> Iterable[Need]:
    """Requests that are signed by hand, past boto3: the candidate's health."""
    for phase in ("configure_monitoring", "release_code"):
        yield Need(
            phase, "execute-api:Invoke", f"arn:aws:execute-api:{region}:{account}:api1/api/GET/_candidate/health"
        )
    # Lambda fetches the code in the name of who updates it.
    yield Need("release_code", "s3:GetObject", _ARTIFACT.format(region=region, account=account))
