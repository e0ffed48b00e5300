"""Published versions in a template, and the template between two releases."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from chalicelib.upgrade import rights, staging, versions

from tests.fakes.own_control_plane import NAMES, template

OLD, NEW = "a" * 12, "b" * 12


def published(mark: str, publication: str) -> Any:
    return versions.published(template(mark), publication)


def test_every_function_gets_a_version_of_the_publication_and_the_alias_live_on_it() -> None:
    resources = published("x", OLD)["Resources"]
    for name in NAMES:
        version = resources[f"{name}Version{OLD}"]
        assert version["Properties"] == {"FunctionName": {"Ref": name}}
        assert version["DeletionPolicy"] == "RetainExceptOnCreate"  # executions that run still need it
        assert resources[f"{name}Live"]["Properties"] == {
            "FunctionName": {"Ref": name},
            "FunctionVersion": {"Fn::GetAtt": [f"{name}Version{OLD}", "Version"]},
            "Name": "live",
        }


def test_a_state_machine_names_versions_and_everything_else_the_alias() -> None:
    body = template("x")
    body["Resources"] |= {
        "Rule": {"Type": "AWS::Events::Rule", "Properties": {"Targets": [{"Arn": {"Fn::GetAtt": ["Sweep", "Arn"]}}]}},
        "Queue": {"Type": "AWS::Lambda::EventSourceMapping", "Properties": {"FunctionName": {"Ref": "Sweep"}}},
        "Api": {
            "Type": "AWS::Serverless::Api",
            "Properties": {"uri": {"Fn::Sub": "arn:…/functions/${APIHandler.Arn}/invocations"}, "timeout": 29},
        },
    }
    resources = versions.published(body, OLD)["Resources"]
    machine = resources["StateMachine"]["Properties"]["DefinitionSubstitutions"]
    assert machine == {f"{name}Arn": {"Ref": f"{name}Version{OLD}"} for name in NAMES}
    assert resources["Rule"]["Properties"]["Targets"] == [{"Arn": {"Ref": "SweepLive"}}]
    assert resources["Queue"]["Properties"]["FunctionName"] == {"Ref": "SweepLive"}
    assert resources["Api"]["Properties"]["uri"]["Fn::Sub"] == "arn:…/functions/${APIHandlerLive}/invocations"
    (policy,) = resources["Role"]["Properties"]["Policies"]
    allowed = policy["PolicyDocument"]["Statement"][0]["Resource"]
    # A rollout that began before versions were named calls the function itself.
    assert {"Fn::GetAtt": ["Sweep", "Arn"]} in allowed
    assert {"Fn::Sub": "${Sweep.Arn}:*"} in allowed


def test_neither_release_is_changed_by_the_template_between_them() -> None:
    old, new = published("x", OLD), published("y", NEW)
    old["Outputs"], new["Outputs"] = {"RestAPIId": {"Value": "old"}}, {"Stage": {"Value": {"Ref": "Stage"}}}
    before = copy.deepcopy([old, new])
    between = staging.staged(old, new, NEW)
    assert between["Outputs"] == {**before[0]["Outputs"], **before[1]["Outputs"]}
    between["Resources"].clear()
    assert [old, new] == before


def test_the_template_itself_stays_as_it_was() -> None:
    body = template("x")
    before = copy.deepcopy(body)
    versions.published(body, OLD)
    assert body == before


def test_a_release_is_another_with_any_other_value_of_a_parameter() -> None:
    body = template("x")
    digest = versions.release_of(body, {"BundleKey": "a"})
    assert digest == versions.release_of(copy.deepcopy(body), {"BundleKey": "a"})
    assert digest == versions.release_of(dict(reversed(body.items())), {"BundleKey": "a"})
    assert len(digest) == len(versions.publication_of("d-1")) == 12
    assert digest != versions.release_of(body, {"BundleKey": "b"})
    assert digest != versions.release_of(template("y"), {"BundleKey": "a"})


def test_between_two_releases_what_serves_is_the_old_one_and_functions_are_the_new_ones() -> None:
    old, new = published("old", OLD), published("new", NEW)
    between = staging.staged(old, new, NEW)["Resources"]
    for name in NAMES:
        assert between[name] == new["Resources"][name]
        assert between[f"{name}Live"] == old["Resources"][f"{name}Live"]
        assert between[f"{name}Candidate"]["Properties"]["FunctionVersion"] == {
            "Fn::GetAtt": [f"{name}Version{NEW}", "Version"]
        }
        assert {f"{name}Version{OLD}", f"{name}Version{NEW}"} <= set(between)
    assert between["StateMachine"] == old["Resources"]["StateMachine"]


@pytest.mark.parametrize(
    ("kind", "waits"),
    [
        ("AWS::Events::Rule", True),
        ("AWS::Scheduler::Schedule", True),
        ("AWS::Lambda::EventSourceMapping", True),
        ("AWS::SQS::Queue", False),
        ("AWS::StepFunctions::StateMachine", False),
    ],
)
def test_what_is_new_and_begins_by_itself_waits_for_the_promotion(kind: str, waits: bool) -> None:
    new = published("new", NEW)
    new["Resources"]["Fresh"] = {"Type": kind, "Properties": {}}
    assert ("Fresh" in staging.staged(published("old", OLD), new, NEW)["Resources"]) is not waits


def test_what_the_new_release_no_longer_has_stays_until_the_promotion() -> None:
    old = versions.published(template("old", (*NAMES, "Gone")), OLD)
    between = staging.staged(old, published("new", NEW), NEW)["Resources"]
    assert {"Gone", "GoneLive", f"GoneVersion{OLD}"} <= set(between)


def test_a_role_keeps_the_rights_of_the_version_that_runs_until_the_promotion() -> None:
    old, new = published("old", OLD), published("new", NEW)
    statement = {"Sid": "Narrowed", "Effect": "Allow", "Action": ["s3:GetObject"], "Resource": ["a", "b"]}
    for body, resources in ((old, ["a", "b"]), (new, ["a"])):
        document = {"Statement": [{**statement, "Resource": resources}]}
        body["Resources"]["Role"]["Properties"]["Policies"].append({"PolicyName": "own", "PolicyDocument": document})
    policies = staging.staged(old, new, NEW)["Resources"]["Role"]["Properties"]["Policies"]
    (left,) = policies[-1]["PolicyDocument"]["Statement"]
    assert (left["Action"], left["Resource"]) == (["s3:GetObject"], ["b"])
    same = staging.staged(new, new, NEW)["Resources"]["Role"]["Properties"]["Policies"]
    assert same == new["Resources"]["Role"]["Properties"]["Policies"]


def test_a_condition_in_another_order_is_the_same_right() -> None:
    old, new = published("old", OLD), published("new", NEW)
    statement = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "a"}
    for body, names in ((old, ("x", "y")), (new, ("y", "x"))):
        document = {"Statement": [{**statement, "Condition": {"StringEquals": dict.fromkeys(names, "1")}}]}
        body["Resources"]["Role"]["Properties"]["Policies"].append({"PolicyName": "own", "PolicyDocument": document})
    between = staging.staged(old, new, NEW)["Resources"]["Role"]["Properties"]["Policies"]
    assert between == new["Resources"]["Role"]["Properties"]["Policies"]


def test_a_statement_that_depends_on_a_parameter_stays_whole_until_the_promotion() -> None:
    old, new = published("old", OLD), published("new", NEW)
    allows = {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": {"Ref": "Key"}}
    choice = {"Fn::If": ["HasKey", allows, {"Ref": "AWS::NoValue"}]}
    other = {"Fn::If": ["HasKey", {**allows, "Action": "kms:*"}, {"Ref": "AWS::NoValue"}]}
    for body, statements in ((old, [choice, other]), (new, [choice])):
        policy = {"PolicyName": "own", "PolicyDocument": {"Statement": statements}}
        body["Resources"]["Role"]["Properties"]["Policies"].append(policy)
    between = staging.staged(old, new, NEW)["Resources"]["Role"]["Properties"]["Policies"]
    assert between[-1]["PolicyDocument"]["Statement"] == [other]


def test_outputs_are_the_old_ones_until_the_promotion_but_for_the_stage() -> None:
    old, new = published("old", OLD), published("new", NEW)
    old["Outputs"] = {"Url": {"Value": "old"}}
    new["Outputs"]["Url"] = {"Value": "new"}
    assert staging.staged(old, new, NEW)["Outputs"] == {"Url": {"Value": "old"}, "Stage": {"Value": {"Ref": "Stage"}}}
    del new["Outputs"]["Stage"]
    assert staging.staged(published("old", OLD), new, NEW)["Outputs"] == published("old", OLD)["Outputs"]


def test_rights_that_only_a_person_changes_are_found_wherever_they_differ() -> None:
    old, new = published("old", OLD), published("new", NEW)
    assert rights.needing_a_person(old, new) == []
    new["Resources"]["Boundary"] = {"Type": "AWS::IAM::ManagedPolicy", "Properties": {}}
    old["Resources"]["UpgradeRole"] = {"Type": "AWS::IAM::Role", "Properties": {}}
    assert rights.needing_a_person(old, new) == ["Boundary", "UpgradeRole"]
