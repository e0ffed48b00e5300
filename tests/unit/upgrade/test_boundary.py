"""The boundary of the control plane's roles: wide enough for what they do, and no way to more."""

from __future__ import annotations

import json
from fnmatch import fnmatchcase
from typing import Any

import pytest
from chalicelib.engine import policies

from judges import documents
from judges.authorization import listed

VARIABLES = {
    "AWS::Partition": "aws",
    "AWS::Region": "eu-central-1",
    "AWS::AccountId": "123456789012",
    "AWS::URLSuffix": "amazonaws.com",
    "BucketName": "proxyctl-123456789012-eu-central-1",
    "RestAPI": "api1",
}
BOUNDARY = next(each for each in documents.collect(documents.read()) if "ControlPlaneBoundary" in each.owner)
ROLES = policies.documents()


def resolved(value: Any) -> Any:
    text = json.dumps(value)
    for name, replacement in VARIABLES.items():
        text = text.replace(f"${{{name}}}", replacement)
    return json.loads(text)


def plain(resource: Any) -> str:
    return str(resource["Fn::Sub"] if isinstance(resource, dict) else resource)


def covering(action: str, resource: str) -> list[dict[str, Any]]:
    """The boundary's statements that allow the action on the resource, whatever their conditions."""
    return [
        statement
        for statement in resolved(BOUNDARY.body)["Statement"]
        if any(fnmatchcase(action, pattern) for pattern in listed(statement["Action"]))
        and any(fnmatchcase(resource, plain(pattern)) for pattern in listed(statement["Resource"]))
    ]


@pytest.mark.parametrize("name", ROLES)
def test_it_allows_all_that_a_role_does(name: str) -> None:
    missing = [
        f"{action} on {plain(resource)}"
        for statement in resolved(ROLES[name])["Statement"]
        if statement["Effect"] == "Allow"
        for action in listed(statement["Action"])
        for resource in listed(statement["Resource"])
        if not covering(action, plain(resource))
    ]
    assert missing == []


def test_it_allows_changes_of_roles_within_a_boundary_only_and_never_of_a_boundary() -> None:
    role = "arn:aws:iam::123456789012:role/proxyctl-LoadTestRole-1"
    for action in ("iam:CreateRole", "iam:PutRolePolicy", "iam:PutRolePermissionsBoundary"):
        assert [each["Sid"] for each in covering(action, role)] == ["ChangeRolesWithinABoundary"]
    for action in ("iam:CreatePolicyVersion", "iam:SetDefaultPolicyVersion", "iam:DeletePolicy"):
        assert covering(action, "arn:aws:iam::123456789012:policy/proxyctl-controlplane-boundary-eu-central-1") == []
    for action in ("iam:AttachRolePolicy", "iam:DeleteRolePermissionsBoundary", "iam:CreateUser", "sts:AssumeRole"):
        assert covering(action, role) == []
    assert covering("lambda:UpdateFunctionCode", "arn:aws:lambda:eu-central-1:123456789012:function:payroll") == []


def test_it_is_no_longer_than_iam_takes() -> None:
    assert len(json.dumps(resolved(BOUNDARY.body), separators=(",", ":"))) <= 6_144
