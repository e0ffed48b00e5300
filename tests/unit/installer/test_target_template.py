"""The template of a target: a role for each function, that trusts the role of the same function and the external ID."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from chalicelib.engine import policies
from chalicelib.engine.policies import role_of

from installer.packaging import target_template

ROOT = Path(__file__).resolve().parents[3]
TEMPLATE = target_template.make(ROOT)


def _chosen(own: object) -> dict[str, Any]:
    return {"Fn::If": ["IsBounded", {"Ref": "Boundary"}, own]}


STEMS = [stem for stem in policies.target_documents() if stem != policies.CHANGE_STACKS]


def role(stem: str) -> dict[str, Any]:
    properties: dict[str, Any] = TEMPLATE["Resources"][role_of(stem)]["Properties"]
    return properties


@pytest.mark.parametrize("stem", STEMS)
def test_a_role_trusts_the_control_planes_role_of_the_same_function_with_the_external_id(stem: str) -> None:
    (statement,) = role(stem)["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Condition"] == {
        "StringEquals": {"sts:ExternalId": {"Ref": "ExternalId"}},
        "ArnLike": {
            "aws:PrincipalArn": {
                "Fn::Sub": f"arn:${{AWS::Partition}}:iam::${{HomeAccount}}:role/proxyctl-{role_of(stem)}-*"
            }
        },
    }
    assert statement["Principal"] == {"AWS": {"Fn::Sub": "arn:${AWS::Partition}:iam::${HomeAccount}:root"}}


@pytest.mark.parametrize("stem", STEMS)
def test_its_name_is_what_the_control_planes_role_may_assume_and_its_policy_fits(stem: str) -> None:
    name = role(stem)["RoleName"]["Fn::Sub"]
    assert name.endswith(policies.assumes(stem)["Resource"]["Fn::Sub"].rpartition("*")[2])
    assert len(name.replace("${AWS::Region}", "ap-southeast-1")) <= 64  # IAM's limit
    (policy,) = role(stem)["Policies"]
    statements = list(policy["PolicyDocument"]["Statement"])
    if key := policies.uses_key(policies.target_documents()[stem]["Statement"]):
        assert statements.pop() == {"Fn::If": ["HasKey", key, {"Ref": "AWS::NoValue"}]}
    assert statements == policies.bounded_by(policies.target_documents()[stem]["Statement"], _chosen)
    assert len(json.dumps(policy["PolicyDocument"], separators=(",", ":"))) <= 10_240  # of inline policies of a role


def test_a_shorter_name_is_no_other_functions_pattern() -> None:
    """`…-preflight` is a suffix of no other stem: a function can assume no role but its own."""
    names = [stem.replace("_", "-") for stem in STEMS]
    assert not [(name, other) for name in names for other in names if name != other and other.endswith(f"-{name}")]


def test_boundary_and_cloudformations_role_are_those_of_home() -> None:
    shared = yaml.safe_load((ROOT / "statemachine" / "resources.yaml").read_text())["Resources"]
    assert TEMPLATE["Resources"]["EnvironmentBoundary"] == shared["EnvironmentBoundary"]
    properties = TEMPLATE["Resources"]["ChangeStacksRole"]["Properties"]
    assert (
        properties["AssumeRolePolicyDocument"] == shared["ChangeStacksRole"]["Properties"]["AssumeRolePolicyDocument"]
    )
    assert [policy["PolicyName"] for policy in properties["Policies"]] == ["ChangeStacksRolePolicy"]


def test_the_role_that_names_the_target_has_no_rights() -> None:
    assert "Policies" not in TEMPLATE["Resources"]["TargetRole"]["Properties"]


def test_it_needs_no_other_resource() -> None:
    text = json.dumps(TEMPLATE)
    assert "RestAPI" not in text
    assert "arn:aws:" not in text  # other partitions
    assert len(text) < 1_000_000  # CloudFormation's limit for a template in S3
