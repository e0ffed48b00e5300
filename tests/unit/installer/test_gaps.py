"""Only in the embedded cloud, and only where a policy names the action, a role may do it on everything."""

from __future__ import annotations

from typing import Any

from installer.gaps import widened


def role(*statements: dict[str, Any]) -> dict[str, Any]:
    policy = {"PolicyName": "p", "PolicyDocument": {"Statement": list(statements)}}
    return {"Type": "AWS::IAM::Role", "Properties": {"Policies": [policy]}}


def statements(template: dict[str, Any], name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = template["Resources"][name]["Properties"]["Policies"][0]["PolicyDocument"][
        "Statement"
    ]
    return found


def test_a_role_that_may_ask_is_widened_and_no_other() -> None:
    asks = {"Effect": "Allow", "Action": ["iam:SimulatePrincipalPolicy"], "Resource": "arn:aws:iam::1:role/x"}
    reads = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"}
    template = {"Resources": {"Asks": role(asks), "Reads": role(reads), "Table": {"Type": "AWS::DynamoDB::Table"}}}
    told = widened(template)
    assert [one["Resource"] for one in statements(told, "Asks")] == ["arn:aws:iam::1:role/x", "*"]
    assert statements(told, "Reads") == [reads]
    assert statements(template, "Asks") == [asks]


def test_a_call_that_has_another_name_there_is_allowed_by_that_name_too() -> None:
    deletes = {"Effect": "Allow", "Action": ["sqs:DeleteMessage"], "Resource": "arn:aws:sqs:r:1:q"}
    told = widened({"Resources": {"Deletes": role(deletes)}})
    assert statements(told, "Deletes")[1]["Action"] == ["sqs:DeleteMessageBatch"]
