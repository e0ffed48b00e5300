"""The mutation table: for each fault that an emulator forgives, how to plant it back and which judge must see it."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from judges.authorization import listed
from judges.documents import Sources

Plant = Callable[[Sources], None]
_LOGS = {"Fn::Sub": "arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:/aws/lambda/proxyctl-*"}
_SECRETS = "arn:${AWS::Partition}:secretsmanager:${AWS::Region}:${AWS::AccountId}:secret:proxyctl/*/webhook-*"
_ROLES = {"Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:role/proxyctl-*-proxy-${AWS::Region}"}
_APIS = {"Fn::Sub": "arn:${AWS::Partition}:apigateway:${AWS::Region}::/restapis/*"}
_ARN = "arn:aws:states:::lambda:invoke.waitForTaskToken"


@dataclass(frozen=True)
class Fault:
    """plant: changes a copy of the sources. judge: its name in `python -m judges`. says: what its finding contains."""

    plant: Plant
    judge: str
    says: str


def planted(sources: Sources, fault: Fault) -> Sources:
    """A copy of the sources with the fault in it. Raises AssertionError when planting changes nothing."""
    spoiled = copy.deepcopy(sources)
    fault.plant(spoiled)
    assert spoiled != sources
    return spoiled


def statement(sources: Sources, stem: str, sid: str) -> dict[str, Any]:
    held: dict[str, Any] = next(each for each in sources.policies[stem]["Statement"] if each.get("Sid") == sid)
    return held


def _on(stem: str, sid: str, **elements: Any) -> Plant:
    return lambda sources: statement(sources, stem, sid).update(elements)


def _without_action(stem: str, action: str) -> Plant:
    def plant(sources: Sources) -> None:
        for each in sources.policies[stem]["Statement"]:
            each["Action"] = [name for name in listed(each["Action"]) if name != action]

    return plant


def _allow(stem: str, action: str | list[str], resource: object) -> Plant:
    added = {"Sid": "Planted", "Effect": "Allow", "Action": action, "Resource": resource}
    return lambda sources: sources.policies[stem]["Statement"].append(added)


def _without_the_deny(sources: Sources) -> None:
    sources.resources["Resources"]["ChangeStacksRole"]["Properties"]["Policies"].clear()
    del statement(sources, "change_stacks", "ChangeApisOfEnvironments")["Condition"]


def _property(template: str, logical_id: str, **properties: Any) -> Plant:
    """Set properties of a resource; None removes one."""

    def plant(sources: Sources) -> None:
        held = getattr(sources, template)["Resources"][logical_id]["Properties"]
        for name, value in properties.items():
            held.pop(name) if value is None else held.update({name: value})

    return plant


def _condition_on_the_topic(sources: Sources) -> None:
    policy = sources.resources["Resources"]["EventsTopicPolicy"]["Properties"]["PolicyDocument"]
    policy["Statement"][0]["Condition"] = {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}


def _errors_leave_the_map(sources: Sources) -> None:
    states = sources.workflows["rollout.asl.yaml"]["States"]["ManyLoadWorkers"]["ItemProcessor"]["States"]
    del states["LoadWorkerOfManyLost"]["Result"]


def _partition_in_the_workflow(sources: Sources) -> None:
    sources.workflows["rollout.asl.yaml"]["States"]["AwaitApproval"]["Resource"] = _ARN


def _partition_in_a_template(sources: Sources) -> None:
    arn = "arn:aws:lambda:${AWS::Region}:${AWS::AccountId}:function:x"
    sources.proxy["Outputs"]["FunctionArn"]["Value"] = {"Fn::Sub": arn}


def _access_log_by_attribute(sources: Sources) -> None:
    setting = sources.proxy["Resources"]["Stage"]["Properties"]["AccessLogSetting"]["Fn::If"][1]
    setting["DestinationArn"] = {"Fn::GetAtt": ["AccessLogGroup", "Arn"]}


def _undocumented_header(sources: Sources) -> None:
    response = sources.proxy["Resources"]["ThrottledResponse"]["Properties"]
    response["ResponseParameters"]["gatewayresponse.header.x-request-id"] = "context.requestId"


def _header_on_by_default(sources: Sources) -> None:
    sources.proxy["Parameters"]["RequestIdHeader"]["Default"] = "on"


def _unknown_target(sources: Sources) -> None:
    sources.workflows["nightly.asl.yaml"]["States"]["ListEnvironments"]["Next"] = "Nowhere"


def _listing_under_a_condition(stem: str) -> Plant:
    return _on(stem, "FindObjects", Condition={"StringLike": {"s3:prefix": ["bundles/*"]}})


FAULTS: Mapping[str, Fault] = {
    "a: PutQueryDefinition on log groups": Fault(
        _on("configure_monitoring", "KeepSavedQueries", Resource=_LOGS),
        "authorization",
        "logs:PutQueryDefinition: needs *",
    ),
    "a: PutQueryDefinition on log groups, second opinion": Fault(
        _on("configure_monitoring", "KeepSavedQueries", Resource=_LOGS), "parliament", "logs:PutQueryDefinition needs *"
    ),
    "a: DescribeLogGroups on log groups": Fault(
        _on("deploy_stack", "FindLogGroups", Resource=_LOGS), "authorization", "logs:DescribeLogGroups: needs *"
    ),
    "an action that does not exist": Fault(
        _on("bake", "SeeAlarms", Action=["cloudwatch:DescribeAlarmz"]), "authorization", "no such action"
    ),
    "a condition key that the action does not have": Fault(
        _on("bake", "SeeAlarms", Condition={"StringEquals": {"s3:prefix": "x"}}),
        "authorization",
        "no condition key s3:prefix",
    ),
    "a resource of another service": Fault(
        _on("bake", "SeeAlarms", Resource=_LOGS), "authorization", "cloudwatch:DescribeAlarms: needs"
    ),
    "whoever makes roles leaves the boundary out": Fault(
        _on("change_stacks", "MakeABoundedRole", Condition={}), "escalation", "iam:CreateRole without the boundary"
    ),
    "another boundary key": Fault(
        _on("change_stacks", "MakeABoundedRole", Condition={"StringEquals": {"iam:ResourceTag/a": "b"}}),
        "escalation",
        "change_stacks: PutRolePolicy",
    ),
    "the boundary may be taken off": Fault(
        _allow("deploy_stack", "iam:DeleteRolePermissionsBoundary", _ROLES),
        "escalation",
        "deploy_stack: iam:DeleteRolePermissionsBoundary",
    ),
    "the former deploy_stack": Fault(
        _allow("deploy_stack", ["iam:CreateRole", "iam:PutRolePolicy", "iam:PassRole"], _ROLES),
        "escalation",
        "deploy_stack: passes proxyctl-*-proxy-eu-central-1 to any service",
    ),
    "the former make_plan": Fault(
        _on("make_plan", "PlanTheStack", Condition={}), "escalation", "make_plan: requests change sets of any name"
    ),
    "a name that another phase executes": Fault(
        _on("make_plan", "PlanTheStack", Condition={"StringLike": {"cloudformation:ChangeSetName": "proxyctl-*"}}),
        "escalation",
        "make_plan: requests change sets that deploy_stack executes",
    ),
    "a phase executes any change set": Fault(
        _on("apply_settings", "ExecuteItsChangeSet", Condition={}),
        "escalation",
        "deploy_stack: requests change sets that apply_settings executes",
    ),
    "a stack is deleted with the caller's rights": Fault(
        _on("clean_up", "RemoveTheStack", Action=["cloudformation:DeleteStack"]),
        "escalation",
        "clean_up: cloudformation:DeleteStack without CloudFormation's role",
    ),
    "the former clean_up may patch the control API": Fault(
        _on("clean_up", "FindTheApi", Action=["apigateway:PATCH"], Resource=_APIS),
        "escalation",
        "clean_up: apigateway:PATCH on the control API",
    ),
    "CloudFormation's role may change any API": Fault(
        _without_the_deny, "escalation", "change_stacks: apigateway:DELETE on the control API"
    ),
    "a phase tags the control API": Fault(
        lambda sources: sources.resources["Resources"]["NeverTheControlApi"]["Properties"]["Roles"].pop(),
        "escalation",
        "restore_settings: tags the control API",
    ),
    "a phase may change the control plane's functions": Fault(
        _on("release_code", "Release", Resource={"Fn::Sub": "arn:aws:lambda:eu-central-1:123456789012:function:*"}),
        "escalation",
        "release_code: lambda:UpdateFunctionCode on functions of the control plane",
    ),
    "a phase reads keys": Fault(
        _allow("bake", "secretsmanager:GetSecretValue", "arn:aws:secretsmanager:eu-central-1:123456789012:secret:*"),
        "escalation",
        "bake: reads secret *",
    ),
    "a phase writes any record": Fault(
        _on("bake", "KeepRecords", Condition={}), "escalation", "bake: dynamodb:PutItem of any record"
    ),
    "a phase assumes roles": Fault(
        _allow("bake", "sts:AssumeRole", "*"), "escalation", "bake: assumes * in any account, without an external ID"
    ),
    "a phase assumes the role of another": Fault(
        _on("bake", "ActInTargets", Resource="arn:aws:iam::*:role/proxyctl-*"),
        "escalation",
        "bake: assumes proxyctl-* in any account",
    ),
    "a phase returns credentials": Fault(
        _allow("bake", "sts:GetFederationToken", "*"), "escalation", "bake: returns credentials: sts:getfederationtoken"
    ),
    "everything": Fault(_allow("bake", "*", "*"), "escalation", "bake: CreateAccessKey"),
    "g: a condition on the events topic": Fault(_condition_on_the_topic, "rules", "EventsTopicPolicy"),
    "k: webhook-*": Fault(_on("tell", "SignWebhooks", Resource={"Fn::Sub": _SECRETS}), "rules", "without a suffix"),
    "m: context.requestId in a header": Fault(_undocumented_header, "rules", "documented nowhere"),
    "m: the switch is on": Fault(_header_on_by_default, "rules", "RequestIdHeader"),
    "n: preflight lists under a condition": Fault(_listing_under_a_condition("preflight"), "rules", "s3:ListBucket"),
    "n: package_artifact lists under a condition": Fault(
        _listing_under_a_condition("package_artifact"), "rules", "s3:ListBucket"
    ),
    "o: GetDataProtectionPolicy": Fault(
        _without_action("check_drift", "logs:GetDataProtectionPolicy"),
        "formation",
        "read: logs:GetDataProtectionPolicy",
    ),
    "o: DescribeIndexPolicies": Fault(
        _without_action("change_stacks", "logs:DescribeIndexPolicies"),
        "formation",
        "create: logs:DescribeIndexPolicies",
    ),
    "o: DescribeResourcePolicies": Fault(
        _without_action("change_stacks", "logs:DescribeResourcePolicies"),
        "formation",
        "update: logs:DescribeResourcePolicies",
    ),
    "o: GetFunctionScalingConfig": Fault(
        _without_action("check_drift", "lambda:GetFunctionScalingConfig"),
        "formation",
        "read: lambda:GetFunctionScalingConfig",
    ),
    "p: lost workers hand their causes on": Fault(_errors_leave_the_map, "rules", "LoadWorkerOfManyLost"),
    "q: arn:aws: in a workflow": Fault(_partition_in_the_workflow, "rules", "aws-us-gov"),
    "q: arn:aws: in a template": Fault(_partition_in_a_template, "rules", "aws-us-gov"),
    "s: SAM's second stage": Fault(
        _property("resources", "RestAPI", OpenApiVersion=None), "rules", "stage named Stage"
    ),
    "s: a queue with a name": Fault(
        _property("resources", "EventsDeadLetters", QueueName="proxyctl-dead"), "rules", "within 60 s"
    ),
    "t: an access log's ARN that ends in :*": Fault(_access_log_by_attribute, "rules", "reports for ever"),
    "ee: TLS 1.0 at an environment's API": Fault(_property("proxy", "Api", SecurityPolicy=None), "rules", "TLS 1.0"),
    "ee: TLS 1.0 at the control API": Fault(_property("resources", "RestAPI", SecurityPolicy=None), "rules", "TLS 1.0"),
    "ee: no endpoint access mode": Fault(
        _property("proxy", "Api", EndpointAccessMode=None), "rules", "EndpointAccessMode"
    ),
    "a state that does not exist": Fault(_unknown_target, "statelint", "Nowhere"),
    "a state that does not exist, second opinion": Fault(_unknown_target, "asl-validator", "Nowhere"),
}
