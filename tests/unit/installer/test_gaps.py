"""Only in the embedded cloud, and only where a policy names the action, a role may do it on everything."""

from __future__ import annotations

from typing import Any

from installer.gaps import CHECKED_ON_EVERYTHING, widened
from installer.packaging.template import Policy, Resource, Statement, Template


def role(*statements: Statement) -> Resource:
    policy = Policy(PolicyName="p", PolicyDocument={"Statement": list(statements)})
    return {"Type": "AWS::IAM::Role", "Properties": {"Policies": [policy]}}


def allow(action: str | list[str], resource: str) -> Statement:
    return {"Effect": "Allow", "Action": action, "Resource": resource}


def statements(template: Template, name: str) -> list[Statement]:
    return template["Resources"][name]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]


def test_a_role_that_may_ask_is_widened_and_no_other() -> None:
    asks = allow(["states:SendTaskSuccess"], "arn:aws:states:r:1:stateMachine:x")
    reads = allow("s3:GetObject", "arn:aws:s3:::b/*")
    table: Resource = {"Type": "AWS::DynamoDB::Table", "Properties": {}}
    template: Template = {"Resources": {"Asks": role(asks), "Reads": role(reads), "Table": table}}
    changed = widened(template)
    assert [statement["Resource"] for statement in statements(changed, "Asks")] == [
        "arn:aws:states:r:1:stateMachine:x",
        "*",
    ]
    assert statements(changed, "Reads") == [reads]
    assert statements(template, "Asks") == [asks]


def test_a_boundary_that_allows_the_action_by_a_pattern_is_widened_as_well() -> None:
    """Otherwise the boundary would take back what the role is given here, and no approval could be answered."""
    document = {"Statement": [{"Effect": "Allow", "Action": ["states:*"], "Resource": "arn:…:proxyctl-*"}]}
    boundary = {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": document}}
    other = {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": {"Statement": [
        {"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": "*"}]}}}  # fmt: skip
    template: Any = {"Resources": {"Boundary": boundary, "Other": other}}
    changed: Any = widened(template)["Resources"]
    added = changed["Boundary"]["Properties"]["PolicyDocument"]["Statement"][-1]
    assert added["Action"] == sorted(CHECKED_ON_EVERYTHING)
    assert changed["Other"] == other
