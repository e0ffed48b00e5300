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

from judges.authorization import listed
from judges.documents import Document, Sources, read, resolved

_HERE = "eu-central-1:123456789012"
# A resource of each service as a deployment has it; a grant on "*" matches them, too.
SAMPLES: Mapping[str, str] = {
    "apigateway": "arn:aws:apigateway:eu-central-1::/restapis/a1b2c3d4e5",
    "lambda": f"arn:aws:lambda:{_HERE}:function:proxyctl-dev-proxy",
    "iam": "arn:aws:iam::123456789012:role/proxyctl-dev-proxy-eu-central-1",
    "logs": f"arn:aws:logs:{_HERE}:log-group:/aws/lambda/proxyctl-dev-proxy",
    "s3": "arn:aws:s3:::proxyctl-123456789012-eu-central-1/artifacts/dev/a.zip",
}
# A stage's own ARN: what changes settings only may touch stages, and no other part of an API.
SAMPLES_BY_TYPE: Mapping[str, str] = {
    "AWS::ApiGateway::Stage": "arn:aws:apigateway:eu-central-1::/restapis/a1b2c3d4e5/stages/api",
    "AWS::Lambda::Alias": f"arn:aws:lambda:{_HERE}:function:proxyctl-dev-proxy:live",
}


@dataclass(frozen=True, slots=True)
class Caller:
    """A Lambda in whose name CloudFormation acts. types: None for all types of the template."""

    policy: str
    handlers: tuple[str, ...]
    types: tuple[str, ...] | None = None


CALLERS = (
    Caller("deploy_stack", ("create", "read", "update", "delete")),
    Caller("check_drift", ("read",)),
    Caller("clean_up", ("delete",)),
    # A rollback of settings changes a stage's throttle and the log groups' retention, and nothing else of the stack.
    Caller("restore_settings", ("read", "update"), ("AWS::ApiGateway::Stage", "AWS::Logs::LogGroup")),
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
            for action in schemas()[name]["handlers"].get(handler, {}).get("permissions", ()):
                if not grants(document, action, sample(name, action)):
                    yield f"{caller.policy}: {name} {handler}: {action}"


def sample(type_name: str, action: str) -> str:
    """A resource of the deployment for an action of a handler."""
    service = action.partition(":")[0]
    own = SAMPLES_BY_TYPE.get(type_name, "")
    return own if own.split(":")[2:3] == [service] else SAMPLES.get(service, "*")


def grants(document: Document, action: str, resource: str) -> bool:
    """Whether a statement of the document allows the action on the resource; conditions count as fulfilled."""
    return any(
        statement["Effect"] == "Allow"
        and any(fnmatchcase(action, pattern) for pattern in listed(statement["Action"]))
        and any(fnmatchcase(resource, pattern) for pattern in listed(statement["Resource"]))
        for statement in document.body["Statement"]
    )
