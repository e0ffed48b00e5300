"""The upstream of a run: a stub behind a Lambda Function URL in an account, the stand-in in the embedded cloud.

A Function URL in RESPONSE_STREAM mode streams on the managed Node.js runtime, which the managed Python runtime cannot.
"""

import json
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from botocore.exceptions import ClientError

from installer.target import Target

STACK = "proxyctl-verify-upstream"
_SOURCE = Path(__file__).with_name("upstream.js")
# What CloudFormation took inline for years; more is allowed today.
_INLINE_LIMIT = 4_096
_ASSUME = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"},
    ],
}


@dataclass(frozen=True)
class Upstream:
    """base_url: as a secret's `base_url` wants it. faults_url: the stand-in's control address, "" for the stub."""

    base_url: str
    key: str = field(repr=False)
    faults_url: str = ""


def template(key: str) -> dict[str, object]:
    """The stub's stack: a function without permissions, and a URL that anyone may call who has the key.

    Since October 2025 a Function URL needs both permissions. Source: Lambda developer guide, "Control access to Lambda
    function URLs".
    """
    allowed = {"FunctionName": {"Ref": "Stub"}, "Principal": "*"}
    properties: dict[str, object] = {
        "Runtime": "nodejs22.x",
        "Architectures": ["arm64"],
        "Handler": "index.handler",
        "MemorySize": 256,
        "Timeout": 30,
        "Role": {"Fn::GetAtt": ["Role", "Arn"]},
        "Code": {"ZipFile": source()},
        "Environment": {"Variables": {"STUB_KEY": key}},
    }
    url = {"TargetFunctionArn": {"Ref": "Stub"}, "AuthType": "NONE", "InvokeMode": "RESPONSE_STREAM"}
    by_url = allowed | {"Action": "lambda:InvokeFunctionUrl", "FunctionUrlAuthType": "NONE"}
    by_call = allowed | {"Action": "lambda:InvokeFunction", "InvokedViaFunctionUrl": True}
    resources = {
        "Role": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": _ASSUME}},
        "Stub": {"Type": "AWS::Lambda::Function", "Properties": properties},
        "Url": {"Type": "AWS::Lambda::Url", "Properties": url},
        "ByUrl": {"Type": "AWS::Lambda::Permission", "Properties": by_url},
        "ByCall": {"Type": "AWS::Lambda::Permission", "Properties": by_call},
    }
    outputs = {"Url": {"Value": {"Fn::GetAtt": ["Url", "FunctionUrl"]}}}
    return {"AWSTemplateFormatVersion": "2010-09-09", "Resources": resources, "Outputs": outputs}


def source() -> str:
    """The stub's code without comments and indentation. Raises ValueError when it is too long to be inline."""
    lines = (line.strip() for line in _SOURCE.read_text().splitlines())
    text = "\n".join(line for line in lines if line and not line.startswith("//"))
    if len(text) > _INLINE_LIMIT:
        raise ValueError(f"upstream.js has {len(text)} characters; inline code has at most {_INLINE_LIMIT}")
    return text


def create(aws: Target) -> Upstream:
    """The stub, created anew: an old one has a key that nobody knows any more."""
    delete(aws)
    key = f"sk-stub-{secrets.token_hex(16)}"
    formation = aws.client("cloudformation")
    formation.create_stack(
        StackName=STACK,
        TemplateBody=json.dumps(template(key)),
        Capabilities=["CAPABILITY_IAM"],
        OnFailure="DELETE",
        Tags=[{"Key": "proxyctl:owner", "Value": "proxyctl"}],
    )
    formation.get_waiter("stack_create_complete").wait(StackName=STACK, WaiterConfig={"Delay": 5, "MaxAttempts": 60})
    outputs = formation.describe_stacks(StackName=STACK)["Stacks"][0]["Outputs"]
    url = next(str(output["OutputValue"]) for output in outputs if output["OutputKey"] == "Url")
    return Upstream(f"{url.rstrip('/')}/v1", key)


def delete(aws: Target) -> None:
    """Remove the stub's stack, which need not exist."""
    formation = aws.client("cloudformation")
    try:
        formation.describe_stacks(StackName=STACK)
    except ClientError:
        return
    formation.delete_stack(StackName=STACK)
    formation.get_waiter("stack_delete_complete").wait(StackName=STACK, WaiterConfig={"Delay": 5, "MaxAttempts": 60})
