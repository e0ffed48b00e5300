"""What CloudFormation's resource handlers ask for in the name of whoever changes a stack.

CloudFormation calls other services with the caller's permissions. Which ones, each resource type's registry schema says
(`handlers.*.permissions`); cfn-lint (pinned) ships these schemas. An action that this template's properties never lead
to is an exception with its reason.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from importlib.resources import files
from typing import Any

from judges.authorization import expanded, listed, patterns
from judges.documents import Document, Sources, read, resolved

_HERE = "eu-central-1:123456789012"
# A resource of each service as a deployment has it.
SAMPLES: Mapping[str, str] = {
    "lambda": f"arn:aws:lambda:{_HERE}:function:proxyctl-dev-proxy",
    "iam": "arn:aws:iam::123456789012:role/proxyctl-dev-proxy-eu-central-1",
    "logs": f"arn:aws:logs:{_HERE}:log-group:/aws/lambda/proxyctl-dev-proxy",
    "route53": "arn:aws:route53:::hostedzone/Z0123456789ABCDEFGHIJ",
    "wafv2": f"arn:aws:wafv2:{_HERE}:regional/webacl/limits/1234abcd-12ab-34cd-56ef-1234567890ab",
    "s3": "arn:aws:s3:::proxyctl-123456789012-eu-central-1/artifacts/dev/a.zip",
}
_OF_ALIASES = ("lambda:GetProvisionedConcurrencyConfig",)  # have no function as resource, only its aliases and versions
_API, _DOMAIN = "/restapis/a1b2c3d4e5", "/domainnames/llm.example.com"
_CHANGE = "arn:aws:route53:::change/C0123456789ABCDEFGHIJ"
# What API Gateway's handlers create things in, and the things.
_PATHS: Mapping[str, tuple[str, str]] = {
    "AWS::ApiGateway::RestApi": ("/restapis", _API),
    "AWS::ApiGateway::Resource": (f"{_API}/resources", f"{_API}/resources/r1"),
    "AWS::ApiGateway::Method": (f"{_API}/resources/r1/methods/ANY", f"{_API}/resources/r1/methods/ANY"),
    "AWS::ApiGateway::GatewayResponse": (f"{_API}/gatewayresponses", f"{_API}/gatewayresponses/DEFAULT_4XX"),
    "AWS::ApiGateway::Deployment": (f"{_API}/deployments", f"{_API}/deployments/d1"),
    "AWS::ApiGateway::Stage": (f"{_API}/stages", f"{_API}/stages/api"),
    "AWS::ApiGateway::DomainName": ("/domainnames", "/domainnames/llm.example.com"),
    "AWS::ApiGateway::BasePathMapping": (f"{_DOMAIN}/basepathmappings", f"{_DOMAIN}/basepathmappings/(none)"),
    "AWS::WAFv2::WebACLAssociation": ("", f"{_API}/stages/api"),
}


@dataclass(frozen=True, slots=True)
class Caller:
    """A role in whose name CloudFormation acts. types: None for all types of the template."""

    policy: str
    handlers: tuple[str, ...]
    types: tuple[str, ...] | None = None


CALLERS = (
    Caller("change_stacks", ("create", "read", "update", "delete")),
    # Drift detection reads in the name of who asks for it.
    Caller("check_drift", ("read",)),
)


@cache
def schemas() -> Mapping[str, Mapping[str, Any]]:
    """Registry schemas by type name."""
    folder = files("cfnlint") / "data" / "schemas" / "resources"
    read = (json.loads(path.read_text()) for path in folder.iterdir() if path.name.endswith(".json"))
    return {schema["typeName"]: schema for schema in read if "handlers" in schema}


def types_of(template: Mapping[str, Any]) -> list[str]:
    """The resource types of a template, sorted."""
    return sorted({resource["Type"] for resource in template["Resources"].values()})


def findings(sources: Sources | None = None) -> list[str]:
    """`policy: type handler: action` for each permission that a handler lists and the policy does not grant."""
    sources = sources or read()
    types = types_of(sources.proxy)
    return sorted({text for caller in CALLERS for text in _of_caller(caller, sources.policies[caller.policy], types)})


def _of_caller(caller: Caller, policy: Mapping[str, Any], types: Iterable[str]) -> Iterator[str]:
    document = Document(caller.policy, "identity", resolved(policy, {}))
    for name in caller.types or types:
        if name not in schemas():
            yield f"{caller.policy}: {name}: cfn-lint has no handlers of this type"
            continue
        for handler in caller.handlers:
            for action in permissions(name, handler):
                if not grants(document, action, sample(name, action)):
                    yield f"{caller.policy}: {name} {handler}: {action}"


def permissions(type_name: str, handler: str) -> list[str]:
    """The actions that a handler of a resource type lists."""
    return list(schemas()[type_name]["handlers"].get(handler, {}).get("permissions", ()))


def sample(type_name: str, action: str) -> str:
    """A resource of the deployment for an action of a handler; "*" where AWS knows no resource type for it."""
    service = action.partition(":")[0]
    if service == "apigateway" and type_name in _PATHS:
        collection, item = _PATHS[type_name]
        return f"arn:aws:apigateway:eu-central-1::{collection if action.endswith(':POST') else item}"
    if not any(patterns(action, facts) for facts in expanded(action).values()):
        return "*"
    if action == "route53:GetChange":
        return _CHANGE
    if action == "wafv2:DisassociateWebACL":  # knows what is protected only, not by which web ACL
        return f"arn:aws:apigateway:eu-central-1::{_API}/stages/api"
    return SAMPLES.get(service, "*") + (":live" if action in _OF_ALIASES else "")


def grants(document: Document, action: str, resource: str) -> bool:
    """Whether a statement of the document allows the action on the resource; conditions count as fulfilled."""
    return any(
        statement["Effect"] == "Allow"
        and any(fnmatchcase(action, pattern) for pattern in listed(statement["Action"]))
        and any(fnmatchcase(resource, pattern) for pattern in listed(statement["Resource"]))
        for statement in document.body["Statement"]
    )
