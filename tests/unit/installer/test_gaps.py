"""Only in the embedded cloud, and only where a policy names the action, a role may do it on everything."""

from __future__ import annotations

from installer.gaps import widened
from installer.packaging.template import Policy, Resource, Statement, Template


def role(*statements: Statement) -> Resource:
    policy = Policy(PolicyName="p", PolicyDocument={"Statement": list(statements)})
    return {"Type": "AWS::IAM::Role", "Properties": {"Policies": [policy]}}


def allow(action: str | list[str], resource: str) -> Statement:
    return {"Effect": "Allow", "Action": action, "Resource": resource}


def statements(template: Template, name: str) -> list[Statement]:
    return template["Resources"][name]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]


def test_a_role_that_may_ask_is_widened_and_no_other() -> None:
    asks = allow(["iam:SimulatePrincipalPolicy"], "arn:aws:iam::1:role/x")
    reads = allow("s3:GetObject", "arn:aws:s3:::b/*")
    table: Resource = {"Type": "AWS::DynamoDB::Table", "Properties": {}}
    template: Template = {"Resources": {"Asks": role(asks), "Reads": role(reads), "Table": table}}
    changed = widened(template)
    assert [statement["Resource"] for statement in statements(changed, "Asks")] == ["arn:aws:iam::1:role/x", "*"]
    assert statements(changed, "Reads") == [reads]
    assert statements(template, "Asks") == [asks]


def test_a_call_that_has_another_name_there_is_allowed_by_that_name_too() -> None:
    deletes = allow(["sqs:DeleteMessage"], "arn:aws:sqs:r:1:q")
    changed = widened({"Resources": {"Deletes": role(deletes)}})
    assert statements(changed, "Deletes")[1]["Action"] == ["sqs:DeleteMessageBatch"]
