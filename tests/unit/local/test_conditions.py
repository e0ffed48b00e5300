"""Facts about condition keys that the embedded cloud adds to MiniStack's."""

from __future__ import annotations

import json
from typing import Any

import pytest

from local.inside.iam import conditions

BOUNDARY, ROLE = "arn:aws:iam::1:policy/b", "arn:aws:iam::1:role/r"


def keys(action: str, **params: Any) -> dict[str, Any]:
    return conditions.keys_of(action, params, {"bound": BOUNDARY}.get)


@pytest.mark.parametrize("form", [str, lambda value: [value]])
def test_a_change_set_is_judged_by_its_name_and_role(form: Any) -> None:
    given = keys("cloudformation:CreateChangeSet", ChangeSetName=form("n"), RoleARN=form(ROLE), StackName=form("s"))
    assert given == {"cloudformation:changesetname": "n", "cloudformation:rolearn": ROLE}


def test_a_change_set_without_role_has_no_such_key() -> None:
    assert keys("cloudformation:DeleteStack", StackName="s") == {}


def test_an_import_is_named() -> None:
    given = keys("cloudformation:CreateChangeSet", ChangeSetType="IMPORT")
    assert list(given) == ["cloudformation:importresourcetypes"]


@pytest.mark.parametrize(
    ("action", "params", "boundary"),
    [
        ("iam:CreateRole", {"RoleName": "new", "PermissionsBoundary": BOUNDARY}, BOUNDARY),
        ("iam:CreateRole", {"RoleName": "new"}, None),
        ("iam:PutRolePermissionsBoundary", {"RoleName": "bound", "PermissionsBoundary": "other"}, "other"),
        ("iam:PutRolePolicy", {"RoleName": "bound"}, BOUNDARY),
        ("iam:PutRolePolicy", {"RoleName": "free", "PermissionsBoundary": BOUNDARY}, None),
        ("iam:DeleteRolePermissionsBoundary", {"RoleName": "bound"}, BOUNDARY),
        ("iam:ListRoles", {}, None),
    ],
)
def test_a_call_on_a_role_is_judged_by_its_boundary(action: str, params: dict[str, str], boundary: str | None) -> None:
    """A policy is judged by the boundary that the role has, never by one that the request names."""
    assert keys(action, **params).get("iam:permissionsboundary") == boundary


@pytest.mark.parametrize(
    ("request_", "values"),
    [
        ({"Key": {"pk": {"S": "A#1"}, "sk": {"S": "META"}}}, ["A#1"]),
        ({"Item": {"pk": {"S": "A#1"}}}, ["A#1"]),
        ({"KeyConditionExpression": "pk = :pk AND sk > :a", "ExpressionAttributeValues": {":pk": {"S": "N"}}}, ["N"]),
        (
            {"TransactItems": [{"Put": {"Item": {"pk": {"S": "B"}}}}, {"Update": {"Key": {"pk": {"S": "A"}}}}]},
            ["A", "B"],
        ),
        ({"RequestItems": {"t": {"Keys": [{"pk": {"S": "B"}}, {"pk": {"S": "A"}}]}}}, ["A", "B"]),
        ({"TableName": "t"}, None),
        ([], None),
    ],
)
def test_the_leading_keys_are_those_of_every_item(request_: object, values: list[str] | None) -> None:
    assert conditions.leading_keys(json.dumps(request_).encode()).get("dynamodb:leadingkeys") == values


@pytest.mark.parametrize("body", [b"", b"{", b"null"])
def test_a_request_that_is_no_json_object_has_no_leading_key(body: bytes) -> None:
    assert conditions.leading_keys(body) == {}


def test_a_role_is_passed_to_the_service_that_gets_it() -> None:
    formation = conditions.passed_role("cloudformation:CreateChangeSet", {"RoleARN": [ROLE]})
    assert formation == (ROLE, {"iam:passedtoservice": "cloudformation.amazonaws.com"})
    function = conditions.passed_role("lambda:CreateFunction", {"Role": ROLE})
    assert function == (ROLE, {"iam:passedtoservice": "lambda.amazonaws.com"})
    assert conditions.passed_role("cloudformation:CreateChangeSet", {}) is None
    assert conditions.passed_role("iam:CreateRole", {"Role": ROLE}) is None


@pytest.mark.parametrize(
    ("path", "api"),
    [
        ("/restapis/a1b2", "a1b2"),
        ("/restapis/a1b2/resources/r1/methods/ANY", "a1b2"),
        ("/restapis", ""),
        ("/tags/arn%3Aaws", ""),
        ("/account", ""),
    ],
)
def test_what_is_in_a_rest_api_has_its_tags(path: str, api: str) -> None:
    assert conditions.api_of(f"arn:aws:apigateway:eu-central-1::{path}") == api
