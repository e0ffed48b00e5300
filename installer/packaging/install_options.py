"""What an installation may ask for beside the defaults, in a template: a permissions boundary and a KMS key.

Both are parameters, so that an upgrade keeps them and the template is the same for everybody. Both templates have them:
that of the control plane and that of a target.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from chalicelib.engine import policies

BOUNDARY, KEY, TAGS = "Boundary", "KmsKeyArn", "CustomTags"
_ROLE = "AWS::IAM::Role"
_NONE = {"Ref": "AWS::NoValue"}


def apply(resources: Mapping[str, Any]) -> dict[str, Any]:
    """The resources of a template that declares both parameters and their conditions `IsBounded` and `HasKey`.

    Each role gets the boundary, in place of any other, and may use the key through the services that its policies name.
    """
    bounded: dict[str, Any] = policies.bounded_by(dict(resources), _chosen)
    return {name: _role(resource) if resource["Type"] == _ROLE else resource for name, resource in bounded.items()}


def _chosen(own: object) -> dict[str, Any]:
    """The customer's boundary where there is one, else `own`."""
    return {"Fn::If": ["IsBounded", {"Ref": BOUNDARY}, own]}


def _role(resource: Mapping[str, Any]) -> dict[str, Any]:
    before = resource["Properties"]
    properties = {**before, "PermissionsBoundary": _chosen(before.get("PermissionsBoundary", _NONE))}
    if key := policies.uses_key(list(_statements(before))):
        *others, last = before["Policies"]
        document = last["PolicyDocument"]
        statements = [*document["Statement"], {"Fn::If": ["HasKey", key, _NONE]}]
        properties["Policies"] = [*others, {**last, "PolicyDocument": {**document, "Statement": statements}}]
    return {**resource, "Properties": properties}


def _statements(properties: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for policy in properties.get("Policies", ()):
        yield from policy["PolicyDocument"]["Statement"]
