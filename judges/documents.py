"""Every policy document that this project gives to AWS, with CloudFormation's functions filled in.

Identity policies: one a Lambda, and the roles of both templates. Resource policies: the topics' of the control plane's
template. The policies that the code makes at runtime (topic, queue, bucket) are judged where botocore sends them, see
`requests.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml
from cfnlint.decode.cfn_yaml import load as load_cfn
from chalicelib.engine import policies

from installer import bucket

ROOT = Path(__file__).resolve().parent.parent
Kind = Literal["identity", "resource", "trust"]
VARIABLES: Mapping[str, str] = {
    "AWS::Partition": "aws",
    "AWS::Region": "eu-central-1",
    "AWS::AccountId": "123456789012",
    "AWS::URLSuffix": "amazonaws.com",
    "AWS::StackName": "proxyctl",
    "BucketName": "proxyctl-123456789012-eu-central-1",
    "ArtifactBucket": "proxyctl-123456789012-eu-central-1",
    "Environment": "dev",
    "RestAPI": "c0n7r01api",
}
_HERE = "eu-central-1:123456789012"
# The ARN of a resource of a template by its type; {name} is its own name, or its logical id.
_ARNS: Mapping[str, str] = {
    "AWS::StepFunctions::StateMachine": f"arn:aws:states:{_HERE}:stateMachine:{{name}}",
    "AWS::SQS::Queue": f"arn:aws:sqs:{_HERE}:{{name}}",
    "AWS::SNS::Topic": f"arn:aws:sns:{_HERE}:{{name}}",
    "AWS::Events::Rule": f"arn:aws:events:{_HERE}:rule/{{name}}",
    "AWS::Logs::LogGroup": f"arn:aws:logs:{_HERE}:log-group:{{name}}:*",
    "AWS::DynamoDB::Table": f"arn:aws:dynamodb:{_HERE}:table/{{name}}",
    "AWS::IAM::Role": "arn:aws:iam::123456789012:role/{name}",
    "AWS::S3::Bucket": "arn:aws:s3:::{name}",
}
_NAMES = ("StateMachineName", "QueueName", "TopicName", "Name", "LogGroupName", "TableName", "RoleName", "FunctionName")
# What a parameter of the proxy's template holds in a deployment.
_PARAMETERS: Mapping[str, str] = {
    "SecretArn": f"arn:aws:secretsmanager:{_HERE}:secret:proxyctl/dev/openai-AbCdEf",
    "SecretInUseArn": f"arn:aws:secretsmanager:{_HERE}:secret:proxyctl/dev/former-AbCdEf",
    "SecretKmsKeyArn": f"arn:aws:kms:{_HERE}:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    "SecretInUseKmsKeyArn": f"arn:aws:kms:{_HERE}:key/4321abcd-12ab-34cd-56ef-1234567890ab",
    "Repair": "d1a2b3c4d5e6f",
}


_OF_ROLES = ("AWS::IAM::ManagedPolicy", "AWS::IAM::Policy")


@dataclass(frozen=True, slots=True)
class Document:
    """owner: where it is from, such as `bake` or `resources.yaml:NightRole`. body: without CFN's functions. roles:
    logical ids of the roles that a policy of its own is attached to."""

    owner: str
    kind: Kind
    body: Mapping[str, Any]
    roles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Sources:
    """What the checkout gives to AWS. resources: the control plane's own part of its template. proxy: the environment's
    template. policies: document by Lambda. workflows: state machine by file name, as written."""

    resources: Mapping[str, Any]
    proxy: Mapping[str, Any]
    policies: Mapping[str, Mapping[str, Any]]
    workflows: Mapping[str, Mapping[str, Any]]


def read(root: Path = ROOT) -> Sources:
    """The checkout's."""
    folder = root / "statemachine"
    return Sources(
        read_template(folder / "resources.yaml"),
        read_template(root / "proxy" / "template.yaml"),
        policies.documents(root / "controlplane" / "chalicelib"),
        {path.name: yaml.safe_load(path.read_text()) for path in sorted(folder.glob("*.asl.yaml"))},
    )


def collect(sources: Sources | None = None) -> list[Document]:
    """All policies, sorted by owner; the checkout's unless other sources are given."""
    sources = sources or read()
    documents = [Document(stem, "identity", resolved(body, {})) for stem, body in sources.policies.items()]
    documents += of_template("resources.yaml", sources.resources)
    documents += of_template("template.yaml", sources.proxy)
    documents.append(Document("installer/bucket.py", "resource", bucket.tls_policy("aws", VARIABLES["BucketName"])))
    return sorted(documents, key=lambda document: document.owner)


def read_template(path: Path) -> dict[str, Any]:
    """A CloudFormation template, `!Ref` and its like as `{"Ref": …}`."""
    try:
        template: dict[str, Any] = yaml.safe_load(path.read_text())
    except yaml.YAMLError:  # short forms, which plain YAML does not know
        template = load_cfn(str(path))
    return template


def of_template(name: str, template: Mapping[str, Any]) -> Iterator[Document]:
    """The policies inside a template's resources."""
    resources = template["Resources"]
    for logical_id, resource in resources.items():
        properties = resource.get("Properties", {})
        owner = f"{name}:{logical_id}"
        if resource["Type"] == "AWS::IAM::Role":
            yield Document(owner, "trust", resolved(properties["AssumeRolePolicyDocument"], resources))
            for policy in properties.get("Policies", []):
                body = resolved(policy["PolicyDocument"], resources)
                yield Document(f"{owner}/{policy['PolicyName']}", "identity", body)
        elif isinstance(properties.get("PolicyDocument"), Mapping):
            kind: Kind = "identity" if resource["Type"] in _OF_ROLES else "resource"
            attached = tuple(role["Ref"] for role in properties.get("Roles", []))
            yield Document(owner, kind, _named(resolved(properties["PolicyDocument"], resources)), attached)


def _named(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """The document with what a denial leaves out (`NotAction`, `NotResource`) as if it were named: actions and
    resources exist in either case, and a denial grants neither."""
    return {**document, "Statement": [_named_statement(each) for each in document["Statement"]]}


def _named_statement(statement: Mapping[str, Any]) -> Mapping[str, Any]:
    if statement["Effect"] != "Deny":
        return statement
    return {name.removeprefix("Not"): value for name, value in statement.items()}


def resolved(value: Any, resources: Mapping[str, Any]) -> Any:
    """`value` without CloudFormation's functions; of an `Fn::If` the first branch, so that every statement is there."""
    if isinstance(value, Mapping):
        if len(value) == 1:
            (function, argument), *_ = value.items()
            if function in ("Ref", "Fn::GetAtt", "Fn::Sub", "Fn::If"):
                return _called(function, argument, resources)
        return {str(key): resolved(item, resources) for key, item in value.items()}
    if isinstance(value, list):
        return [resolved(item, resources) for item in value]
    return value


def _called(function: str, argument: Any, resources: Mapping[str, Any]) -> Any:
    if function == "Fn::If":
        return resolved(argument[1], resources)
    if function == "Fn::Sub":
        template, values = (argument, {}) if isinstance(argument, str) else argument
        values = {**_PARAMETERS, **VARIABLES, **resolved(values, resources)}
        return re.sub(r"\$\{([^}]+)\}", lambda match: str(values.get(match[1]) or arn(match[1], resources)), template)
    logical_id = argument if isinstance(argument, str) else argument[0]
    return VARIABLES.get(logical_id) or _PARAMETERS.get(logical_id) or arn(logical_id.partition(".")[0], resources)


def arn(logical_id: str, resources: Mapping[str, Any]) -> str:
    """The ARN that a resource will have. What is no resource of this template is one of Chalice's functions."""
    resource = resources.get(logical_id)
    if resource is None or resource["Type"] == "AWS::Lambda::Function":
        return f"arn:aws:lambda:{_HERE}:function:proxyctl-api-{logical_id}"
    properties = resource.get("Properties", {})
    name = next((properties[key] for key in _NAMES if key in properties), logical_id)
    return _ARNS[resource["Type"]].format(name=resolved(name, resources))
