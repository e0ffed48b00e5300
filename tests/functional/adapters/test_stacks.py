"""The CloudFormation adapter, with botocore's Stubber: states, pages and refusals as AWS words them.

What it does against a CloudFormation that acts is seen in the embedded cloud (tests/e2e/test_phases.py).
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.stub import Stubber
from chalicelib.adapters.session import client
from chalicelib.adapters.stacks import CloudFormationStacks
from chalicelib.domain.aws.stacks import Change, Detection, Stack
from chalicelib.domain.errors import AwsCallFailed, Conflict, NotFound, RolloutError

from tests.functional.adapters.conftest import TAGS

WHEN = datetime(2026, 1, 2, tzinfo=UTC)
SET_ID = "arn:aws:cloudformation:eu-central-1:123456789012:changeSet/c/1"


def test_a_stack_is_seen_whole() -> None:
    answer = {
        "StackName": "s",
        "StackId": "arn:s",
        "StackStatus": "UPDATE_ROLLBACK_FAILED",
        "StackStatusReason": "a role is gone",
        "CreationTime": WHEN,
        "LastUpdatedTime": WHEN,
        "EnableTerminationProtection": True,
        "Outputs": [{"OutputKey": "ApiId", "OutputValue": "a1"}],
        "Parameters": [{"ParameterKey": "Environment", "ParameterValue": "dev"}],
        "Tags": [{"Key": key, "Value": value} for key, value in TAGS.items()],
    }
    with Stubber(client("cloudformation")) as stub:
        stub.add_response("describe_stacks", {"Stacks": [answer]}, {"StackName": "s"})
        result = CloudFormationStacks().find("s")
    assert result == Stack(
        "s",
        "arn:s",
        "UPDATE_ROLLBACK_FAILED",
        "a role is gone",
        {"ApiId": "a1"},
        {"Environment": "dev"},
        TAGS,
        WHEN.isoformat(),
        WHEN.isoformat(),
        True,
    )


def test_what_is_not_there_is_none_or_not_found_and_any_other_refusal_is_an_error() -> None:
    """CloudFormation says ValidationError for both."""
    stacks, missing = CloudFormationStacks(), "Stack with id nobody does not exist"
    with Stubber(client("cloudformation")) as stub:
        stub.add_client_error("describe_stacks", "ValidationError", missing)
        stub.add_client_error("list_change_sets", "ValidationError", missing)
        stub.add_client_error("list_stack_resources", "ValidationError", missing)
        stub.add_client_error("describe_stacks", "ValidationError", "1 validation error detected")
        assert stacks.find("nobody") is None
        assert list(stacks.change_sets("nobody")) == []
        with pytest.raises(NotFound):
            stacks.resources("nobody")
        with pytest.raises(AwsCallFailed, match="1 validation error"):
            stacks.find("nobody")


def test_validation_tells_the_parameters_or_cloudformations_words() -> None:
    stacks = CloudFormationStacks()
    with Stubber(client("cloudformation")) as stub:
        stub.add_response("validate_template", {"Parameters": [{"ParameterKey": "Name"}]}, {"TemplateBody": "t"})
        stub.add_client_error("validate_template", "ValidationError", "Template format error: JSON not well-formed.")
        assert list(stacks.validate("t")) == ["Name"]
        with pytest.raises(AwsCallFailed, match="JSON not well-formed"):
            stacks.validate("{")


def _set(**other: Any) -> dict[str, Any]:
    base = {"ChangeSetId": "arn:c/proxyctl-d1", "ChangeSetName": "proxyctl-d1", "Status": "CREATE_COMPLETE",
            "StackId": "arn:stack/s/1"}  # fmt: skip
    return {**base, **other}


def test_changes_are_collected_over_all_pages_with_what_causes_them() -> None:
    def change(logical: str) -> dict[str, Any]:
        details = [
            {"Target": {"Attribute": "Properties", "Name": "MemorySize"}},
            {"Target": {"Attribute": "Tags"}},
        ]
        return {
            "Type": "Resource",
            "ResourceChange": {
                "Action": "Modify",
                "LogicalResourceId": logical,
                "PhysicalResourceId": "p",
                "ResourceType": "AWS::Lambda::Function",
                "Replacement": "Conditional",
                "Details": details,
            },
        }

    with Stubber(client("cloudformation")) as stub:
        requested = {"StackName": "s", "ChangeSetName": "proxyctl-d1"}
        stub.add_response("describe_change_set", _set(Changes=[change("A")], NextToken="n"), requested)
        stub.add_response("describe_change_set", _set(Changes=[change("B")]), {**requested, "NextToken": "n"})
        answer = CloudFormationStacks().change_set("s", "proxyctl-d1")
    assert [item.logical_id for item in answer.changes] == ["A", "B"]
    assert answer.changes[0] == Change(
        "A", "AWS::Lambda::Function", "Modify", "Conditional", "p", ("MemorySize", "Tags")
    )


def test_a_first_deploy_asks_to_be_deleted_when_it_fails_and_keeps_previous_values_otherwise() -> None:
    common = {
        "StackName": "s",
        "ChangeSetName": "c",
        "TemplateBody": "t",
        "Tags": [],
        "Capabilities": ["CAPABILITY_NAMED_IAM"],
    }
    created = {
        "ChangeSetType": "CREATE",
        "OnStackFailure": "DELETE",
        "Parameters": [{"ParameterKey": "A", "ParameterValue": "1"}],
    }
    updated = {"ChangeSetType": "UPDATE", "Parameters": [{"ParameterKey": "A", "UsePreviousValue": True}]}
    for creates, value, wanted in ((True, "1", created), (False, None, updated)):
        with Stubber(client("cloudformation")) as stub:
            stub.add_response("create_change_set", {"Id": SET_ID}, {**common, **wanted})
            stub.add_response("describe_change_set", _set(), {"StackName": "s", "ChangeSetName": SET_ID})
            CloudFormationStacks().create_change_set(
                "s", "c", template="t", parameters={"A": value}, tags={}, creates=creates
            )


def test_a_change_set_gets_the_description_and_the_role_of_cloudformation() -> None:
    role = "arn:aws:iam::123456789012:role/proxyctl-change-stacks-eu-central-1"
    requested = {
        "StackName": "s",
        "ChangeSetName": "c",
        "TemplateBody": "t",
        "Tags": [],
        "Capabilities": ["CAPABILITY_NAMED_IAM"],
        "ChangeSetType": "UPDATE",
        "Parameters": [],
        "Description": "digest 1",
        "RoleARN": role,
    }
    with Stubber(client("cloudformation")) as stub:
        stub.add_response("create_change_set", {"Id": SET_ID}, requested)
        described = {"StackName": "s", "ChangeSetName": SET_ID}
        stub.add_response("describe_change_set", _set(Description="digest 1"), described)
        answer = CloudFormationStacks().create_change_set(
            "s", "c", template="t", parameters={}, tags={}, creates=False, description="digest 1", role_arn=role
        )
    assert answer.description == "digest 1"


def test_deletion_and_rollback_use_the_role_of_cloudformation() -> None:
    role = "arn:aws:iam::123456789012:role/proxyctl-change-stacks-eu-central-1"
    given = {"StackName": "s", "ClientRequestToken": "t", "RoleARN": role}
    with Stubber(client("cloudformation")) as stub:
        stub.add_response("delete_stack", {}, given)
        stub.add_response("continue_update_rollback", {}, given)
        CloudFormationStacks().delete("s", "t", role_arn=role)
        CloudFormationStacks().continue_rollback("s", "t", role_arn=role)


def test_a_change_set_may_leave_the_template_as_it_is() -> None:
    requested = {
        "StackName": "s",
        "ChangeSetName": "c",
        "UsePreviousTemplate": True,
        "Tags": [],
        "Capabilities": ["CAPABILITY_NAMED_IAM"],
        "ChangeSetType": "UPDATE",
        "Parameters": [{"ParameterKey": "A", "ParameterValue": "1"}],
    }
    with Stubber(client("cloudformation")) as stub:
        stub.add_response("create_change_set", {"Id": SET_ID}, requested)
        stub.add_response("describe_change_set", _set(), {"StackName": "s", "ChangeSetName": SET_ID})
        CloudFormationStacks().create_change_set("s", "c", template=None, parameters={"A": "1"}, tags={}, creates=False)


def test_a_change_set_that_exists_already_is_a_conflict() -> None:
    """Not the answer: somebody else may have made it."""
    with Stubber(client("cloudformation")) as stub:
        stub.add_client_error("create_change_set", "AlreadyExistsException", "ChangeSet c already exists")
        with pytest.raises(Conflict) as caught:
            CloudFormationStacks().create_change_set("s", "c", template="t", parameters={}, tags={}, creates=False)
    assert caught.value.code == "ChangeSetExists"


@pytest.mark.parametrize(
    ("message", "moved"),
    [
        ("Stack [s] already exists and cannot be created with the changeset [c].", True),
        ("Stack:arn:aws:cloudformation:eu-central-1:1:stack/s/1 is in UPDATE_IN_PROGRESS state and can not be updated.",
         True),
        ("Stack:arn:aws:cloudformation:eu-central-1:1:stack/s/1 is in ROLLBACK_COMPLETE state and can not be updated.",
         False),
        ("Template error: s already exists", False),
    ],
)  # fmt: skip
def test_a_stack_that_changed_since_it_was_looked_at_is_a_conflict(message: str, moved: bool) -> None:
    with Stubber(client("cloudformation")) as stub:
        stub.add_client_error("create_change_set", "ValidationError", message)
        with pytest.raises(RolloutError) as caught:
            CloudFormationStacks().create_change_set("s", "c", template="t", parameters={}, tags={}, creates=True)
    assert (caught.value.code == "StackMoved") is moved


def test_events_come_oldest_first_and_only_those_after_the_last_one_seen() -> None:
    def event(number: int) -> dict[str, Any]:
        return {"StackId": "i", "EventId": str(number), "StackName": "s", "Timestamp": WHEN}

    with Stubber(client("cloudformation")) as stub:
        first = {"StackEvents": [event(5), event(4)], "NextToken": "n"}
        stub.add_response("describe_stack_events", first, {"StackName": "i"})
        stub.add_response(
            "describe_stack_events", {"StackEvents": [event(3), event(2)]}, {"StackName": "i", "NextToken": "n"}
        )
        answer = CloudFormationStacks().events("i", after="2")
    assert [item.id for item in answer] == ["3", "4", "5"]


def test_executed_change_sets_are_not_left_over_ones() -> None:
    summaries = [
        {
            "ChangeSetId": "1",
            "ChangeSetName": "done",
            "Status": "CREATE_COMPLETE",
            "ExecutionStatus": "EXECUTE_COMPLETE",
        },
        {"ChangeSetId": "2", "ChangeSetName": "left", "Status": "FAILED", "ExecutionStatus": "UNAVAILABLE"},
    ]
    with Stubber(client("cloudformation")) as stub:
        stub.add_response("list_change_sets", {"Summaries": summaries}, {"StackName": "s"})
        assert [item.name for item in CloudFormationStacks().change_sets("s")] == ["left"]


def test_drift_is_searched_for_followed_and_collected_over_all_pages() -> None:
    def drifted(logical: str, **other: Any) -> dict[str, Any]:
        return {
            "StackId": "i",
            "LogicalResourceId": logical,
            "ResourceType": "AWS::Logs::LogGroup",
            "StackResourceDriftStatus": "DELETED",
            "Timestamp": WHEN,
            **other,
        }

    requested = {"StackName": "s", "StackResourceDriftStatusFilters": ["MODIFIED", "DELETED"]}
    difference = {
        "PropertyPath": "/RetentionInDays",
        "ExpectedValue": "14",
        "ActualValue": "1",
        "DifferenceType": "NOT_EQUAL",
    }
    changed = drifted("Changed", StackResourceDriftStatus="MODIFIED", PropertyDifferences=[difference])
    with Stubber(client("cloudformation")) as stub:
        stub.add_response("detect_stack_drift", {"StackDriftDetectionId": "d1"}, {"StackName": "s"})
        failed = {
            "StackId": "i",
            "StackDriftDetectionId": "d1",
            "DetectionStatus": "DETECTION_FAILED",
            "DetectionStatusReason": "Failed to detect drift on resources [Role]",
            "Timestamp": WHEN,
        }
        stub.add_response("describe_stack_drift_detection_status", failed, {"StackDriftDetectionId": "d1"})
        pages = [{"StackResourceDrifts": [changed], "NextToken": "n"}, {"StackResourceDrifts": [drifted("Gone")]}]
        stub.add_response("describe_stack_resource_drifts", pages[0], requested)
        stub.add_response("describe_stack_resource_drifts", pages[1], {**requested, "NextToken": "n"})
        stacks = CloudFormationStacks()
        search = stacks.detection(stacks.detect_drift("s"))
        result = stacks.drifts("s")
    assert search == Detection("DETECTION_FAILED", "Failed to detect drift on resources [Role]")
    assert [(item.logical_id, item.status) for item in result] == [("Changed", "MODIFIED"), ("Gone", "DELETED")]
    assert list(result[0].differences) == [("/RetentionInDays", "14", "1")]
