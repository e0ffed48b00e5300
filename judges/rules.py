"""Behaviour of AWS that no data set holds: one function a rule, each names where it was read.

A rule takes what the checkout gives to AWS (`Sources`) and returns findings; tests plant each fault back.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from judges.authorization import listed
from judges.documents import Sources, read, resolved

Template = Mapping[str, Any]


def eventbridge_topics_have_no_condition(sources: Sources) -> Iterator[str]:
    """EventBridge User Guide, "Using resource-based policies": no delivery to a topic whose policy has a Condition."""
    for name, resource in _of_type(sources.resources, "AWS::SNS::TopicPolicy"):
        for statement in resource["Properties"]["PolicyDocument"]["Statement"]:
            if "events.amazonaws.com" in str(statement.get("Principal")) and "Condition" in statement:
                yield f"resources.yaml: {name}: EventBridge does not deliver to a topic whose policy has a Condition"


def secrets_are_covered_without_suffix(sources: Sources) -> Iterator[str]:
    """Reported from accounts: a missing secret is authorised by its name, without the suffix of six characters."""
    for stem, policy in sources.policies.items():
        for statement in policy["Statement"]:
            if not any(action.startswith("secretsmanager:") for action in listed(statement["Action"])):
                continue
            for resource in listed(resolved(statement["Resource"], {})):
                if re.search(r":secret:.*-(\*|\?{6})$", resource):
                    yield f"{stem}/{statement['Sid']}: {resource}: a missing secret is looked up without a suffix"


def missing_objects_can_be_told_from_forbidden(sources: Sources) -> Iterator[str]:
    """S3 API Reference, HeadObject: without s3:ListBucket a missing key is 403. Whether a ListBucket under a condition
    on s3:prefix counts is disputed, so who reads objects lists without one."""
    for stem, policy in sources.policies.items():
        actions = {action for statement in policy["Statement"] for action in listed(statement["Action"])}
        for statement in policy["Statement"]:
            conditions = str(statement.get("Condition", ""))
            if "s3:GetObject" in actions and "s3:ListBucket" in statement["Action"] and "s3:prefix" in conditions:
                yield f"{stem}/{statement['Sid']}: s3:ListBucket under a condition, beside s3:GetObject"


def access_logs_go_to_a_plain_arn(sources: Sources) -> Iterator[str]:
    """aws-cdk issue 38796: API Gateway stores the destination without `:*`; CloudFormation reports drift for ever."""
    for name, resource in _of_type(sources.proxy, "AWS::ApiGateway::Stage"):
        destination = str(_access_log(resource).get("DestinationArn", ""))
        if "GetAtt" in destination or destination.endswith(":*'}"):
            yield f"template.yaml: {name}: the access log's ARN ends in :*, which drift detection reports for ever"


def gateway_responses_map_documented_values(sources: Sources) -> Iterator[str]:
    """API Gateway Developer Guide, gatewayResponse object: parameters take request parameters and static values.
    Whether `context.…` works is unsettled, so it is behind a switch that is off by default."""
    for name, resource in _of_type(sources.proxy, "AWS::ApiGateway::GatewayResponse"):
        properties = resource["Properties"]
        for parameter, value in properties.get("ResponseParameters", {}).items():
            switched = isinstance(value, Mapping) and value.get("Fn::If", [""])[0] == "NamesRequests"
            if not switched and not re.match(r"'.*'$|method\.request\.(header|path|querystring)\.", str(value)):
                yield f"template.yaml: {name}: {parameter}: {value} is documented nowhere"
        if not all("$context.requestId" in body for body in properties["ResponseTemplates"].values()):
            yield f"template.yaml: {name}: the body lacks $context.requestId"
    if sources.proxy["Parameters"]["RequestIdHeader"]["Default"] != "off":
        yield "template.yaml: RequestIdHeader: on by default, although AWS documents no such mapping"


def arns_name_no_partition(sources: Sources) -> Iterator[str]:
    """AWS General Reference, ARNs: China and GovCloud have partitions of their own, `arn:aws:` fails there."""
    for name, document in {
        **sources.workflows,
        "resources.yaml": sources.resources,
        "template.yaml": sources.proxy,
    }.items():
        for text in _texts(document):
            if "arn:aws:" in text:
                yield f"{name}: {text[:80]}: fails in aws-cn and aws-us-gov"


def lost_map_items_hand_nothing_on(sources: Sources) -> Iterator[str]:
    """Step Functions quotas: 256 KiB for a state's output. A Map's output holds all its items', and a caught error's
    Cause alone may be 32 KiB."""
    for file, workflow in sources.workflows.items():
        for name, state in workflow["States"].items():
            states = state.get("ItemProcessor", {}).get("States", {})
            caught = {rule["Next"] for inner in states.values() for rule in inner.get("Catch", ())}
            for inner in sorted(caught):
                if states[inner].get("End") and "Result" not in states[inner]:
                    yield f"{file}: {name}: {inner} hands the caught error on; hundreds of them exceed 256 KiB"


def apis_refuse_old_tls(sources: Sources) -> Iterator[str]:
    """API Gateway Developer Guide, "Security policies for REST APIs": the default of a regional API is TLS_1_0."""
    apis = [("template.yaml", item) for item in _of_type(sources.proxy, "AWS::ApiGateway::RestApi")]
    apis += [("resources.yaml", item) for item in _of_type(sources.resources, "AWS::Serverless::Api")]
    for file, (name, resource) in apis:
        policy = str(resource["Properties"].get("SecurityPolicy", "TLS_1_0"))
        if not policy.startswith("SecurityPolicy_TLS1"):
            yield f"{file}: {name}: SecurityPolicy {policy} accepts TLS 1.0 or 1.1"
        elif "EndpointAccessMode" not in resource["Properties"]:
            yield f"{file}: {name}: {policy} needs an EndpointAccessMode"
    if not any(file == "resources.yaml" for file, _ in apis):
        yield "resources.yaml: RestAPI: Chalice's API is left at TLS_1_0"


def sam_makes_no_second_stage(sources: Sources) -> Iterator[str]:
    """SAM specification, OpenApiVersion: without it SAM creates a second stage, named `Stage`."""
    for name, resource in _of_type(sources.resources, "AWS::Serverless::Api"):
        if "OpenApiVersion" not in resource["Properties"]:
            yield f"resources.yaml: {name}: SAM adds a stage named Stage"


def queues_have_no_fixed_name(sources: Sources) -> Iterator[str]:
    """SQS API Reference, CreateQueue: QueueDeletedRecently within 60 s of a deletion; `down` then `up` would fail."""
    for name, resource in _of_type(sources.resources, "AWS::SQS::Queue"):
        if "QueueName" in resource["Properties"]:
            yield f"resources.yaml: {name}: its QueueName cannot be used again within 60 s of `down`"


RULES: tuple[Callable[[Sources], Iterator[str]], ...] = (
    eventbridge_topics_have_no_condition,
    secrets_are_covered_without_suffix,
    missing_objects_can_be_told_from_forbidden,
    access_logs_go_to_a_plain_arn,
    gateway_responses_map_documented_values,
    arns_name_no_partition,
    lost_map_items_hand_nothing_on,
    apis_refuse_old_tls,
    sam_makes_no_second_stage,
    queues_have_no_fixed_name,
)


def findings(sources: Sources | None = None) -> list[str]:
    """What the rules find, in the checkout unless other sources are given."""
    sources = sources or read()
    return [text for rule in RULES for text in rule(sources)]


def _of_type(template: Template, name: str) -> list[tuple[str, Mapping[str, Any]]]:
    return [(key, resource) for key, resource in template["Resources"].items() if resource["Type"] == name]


def _access_log(stage: Mapping[str, Any]) -> Mapping[str, Any]:
    setting: Mapping[str, Any] = stage["Properties"].get("AccessLogSetting", {})
    return setting["Fn::If"][1] if "Fn::If" in setting else setting


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, str):
        yield value
