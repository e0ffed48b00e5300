"""What an installation may ask for is in the template as parameters, for every role and every statement."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml
from chalicelib.engine import policies

from installer.packaging import install_options

ROOT = Path(__file__).resolve().parents[4]
HOME = yaml.safe_load((ROOT / "statemachine" / "resources.yaml").read_text())
DOCUMENT = {"Statement": [{"Sid": "Read", "Effect": "Allow", "Action": ["s3:GetObject"], "Resource": "*"}]}


def role(**properties: Any) -> dict[str, Any]:
    return {"Type": "AWS::IAM::Role", "Properties": properties}


def applied(resource: dict[str, Any]) -> dict[str, Any]:
    properties: dict[str, Any] = install_options.apply({"One": resource})["One"]["Properties"]
    return properties


def test_every_role_of_the_control_plane_takes_the_boundary() -> None:
    resources = install_options.apply(HOME["Resources"])
    roles = [each["Properties"] for each in resources.values() if each["Type"] == "AWS::IAM::Role"]
    assert len(roles) > 4
    for each in roles:
        assert each["PermissionsBoundary"] == {"Fn::If": ["IsBounded", {"Ref": "Boundary"}, {"Ref": "AWS::NoValue"}]}


def test_a_boundary_that_a_role_has_stays_without_one_of_the_customers() -> None:
    own = {"Ref": "SomeBoundary"}
    assert applied(role(PermissionsBoundary=own))["PermissionsBoundary"]["Fn::If"][2] == own


def test_a_role_may_use_the_key_through_its_own_services_only() -> None:
    (policy,) = applied(role(Policies=[{"PolicyName": "p", "PolicyDocument": DOCUMENT}]))["Policies"]
    *own, key = policy["PolicyDocument"]["Statement"]
    assert own == DOCUMENT["Statement"]
    condition, statement, absent = key["Fn::If"]
    assert (condition, absent) == ("HasKey", {"Ref": "AWS::NoValue"})
    assert statement["Condition"] == {
        "StringEquals": {"kms:ViaService": [{"Fn::Sub": "s3.${AWS::Region}.${AWS::URLSuffix}"}]}
    }
    assert statement["Resource"] == {"Fn::Sub": "${KmsKeyArn}"}


def test_a_role_that_touches_nothing_encrypted_gets_no_key() -> None:
    other = {"Statement": [{"Effect": "Allow", "Action": "logs:PutLogEvents", "Resource": "*"}]}
    properties = applied(role(Policies=[{"PolicyName": "p", "PolicyDocument": other}]))
    assert properties["Policies"][0]["PolicyDocument"] == other
    assert "Policies" not in applied(role())


def test_who_may_make_roles_of_environments_may_make_them_with_the_customers_boundary_instead() -> None:
    documents = policies.documents()
    changed = {stem: policies.bounded_by(document, lambda _: "theirs") for stem, document in documents.items()}
    named = [stem for stem, document in changed.items() if "theirs" in json.dumps(document)]
    assert {"change_stacks", "deploy_stack"} <= set(named)
    assert "proxyctl-environment-boundary" not in json.dumps(changed)


def test_the_boundary_itself_and_its_name_stay() -> None:
    resources = install_options.apply(HOME["Resources"])
    assert resources["EnvironmentBoundary"] == HOME["Resources"]["EnvironmentBoundary"]


def test_the_guard_denies_exactly_what_the_boundary_does_not_allow() -> None:
    """Each Allow of the boundary has its Deny with NotResource or the opposite condition; the rest is denied."""
    allowed = {each["Sid"]: each for each in _statements("EnvironmentBoundary")}
    denied = {each["Sid"]: each for each in _statements("EnvironmentGuard")}
    actions = {action for each in allowed.values() for action in _listed(each["Action"])}
    assert set(denied["NothingElse"]["NotAction"]) == actions
    assert denied["NoOtherSecrets"]["NotResource"] == allowed["ReadSecretsOfEnvironments"]["Resource"]
    tag = allowed["ReadAdoptedSecrets"]["Condition"]["StringEquals"]
    assert denied["NoOtherSecrets"]["Condition"] == {"StringNotEquals": tag}
    assert denied["NoOtherDecryption"]["Condition"] == {
        "StringNotEquals": allowed["DecryptThem"]["Condition"]["StringEquals"]
    }
    assert denied["NoOtherLogs"]["NotResource"] == allowed["WriteLogs"]["Resource"]
    covered = {action for name, each in denied.items() if name != "NothingElse" for action in _listed(each["Action"])}
    assert covered == actions
    assert {each["Effect"] for each in denied.values()} == {"Deny"}


def _statements(name: str) -> list[dict[str, Any]]:
    statements: list[dict[str, Any]] = HOME["Resources"][name]["Properties"]["PolicyDocument"]["Statement"]
    return statements


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def test_everything_of_ours_that_keeps_data_takes_the_key() -> None:
    key = {"Fn::If": ["HasKey", {"Ref": "KmsKeyArn"}, {"Ref": "AWS::NoValue"}]}
    properties = {
        "AWS::DynamoDB::Table": lambda own: own["SSESpecification"]["KMSMasterKeyId"],
        "AWS::Logs::LogGroup": lambda own: own["KmsKeyId"],
        "AWS::SQS::Queue": lambda own: own["KmsMasterKeyId"],
        "AWS::SNS::Topic": lambda own: own["KmsMasterKeyId"],
    }
    keeping = [each for each in HOME["Resources"].values() if each["Type"] in properties]
    assert len(keeping) == 6
    for each in keeping:
        assert properties[each["Type"]](each["Properties"]) == key
