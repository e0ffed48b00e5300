"""The control plane's stack is deployed whatever state it is in, and a failure names its cause."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber
from chalicelib.stack.state import STATES, Move, next_move

from installer.errors import CommandFailed
from installer.retained import Import
from installer.stack import Deployer

PAGE = 100


class FakeCloudFormation:
    """One stack: `status` now, `then` after the next execution; change sets end as `change_set` says."""

    def __init__(self, status: str | None, then: str = "CREATE_COMPLETE", change_set: str = "CREATE_COMPLETE") -> None:
        self.status, self.then, self.change_set = status, then, change_set
        self.reason = ""
        self.calls: list[str] = []
        self.change_set_type = ""
        self.change_set_types: list[str] = []
        self.events = [
            {"EventId": "old", "LogicalResourceId": "Old", "ResourceType": "T", "ResourceStatus": "CREATE_FAILED"}
        ]
        self.later: list[dict[str, str]] = []
        self.pages_read = 0

    def describe_stacks(self, StackName: str) -> dict[str, Any]:
        if self.status is None:
            raise self._error("ValidationError", f"Stack with id {StackName} does not exist")
        stack = {"StackName": StackName, "StackStatus": self.status}
        if self.status.endswith("_IN_PROGRESS") and self.status != "REVIEW_IN_PROGRESS":
            self.status = self.then
        return {"Stacks": [stack | {"Outputs": [{"OutputKey": "RestAPIId", "OutputValue": "abc"}]}]}

    def get_paginator(self, operation: str) -> FakeCloudFormation:
        assert operation == "describe_stack_events"
        return self

    def paginate(self, StackName: str) -> Iterator[dict[str, Any]]:
        """At most 100 events a page, as CloudFormation."""
        for start in range(0, len(self.events), PAGE):
            self.pages_read += 1
            yield {"StackEvents": self.events[start : start + PAGE]}

    def create_change_set(self, **arguments: Any) -> None:
        self.calls.append("create_change_set")
        self.change_set_type = arguments["ChangeSetType"]
        self.change_set_types.append(self.change_set_type)

    def describe_change_set(self, **arguments: Any) -> dict[str, Any]:
        return {"Status": self.change_set, "StatusReason": self.reason, "Changes": []}

    def execute_change_set(self, **arguments: Any) -> None:
        self.calls.append("execute_change_set")
        self.status = "UPDATE_IN_PROGRESS"
        self.events = [*self.later, *self.events]

    def delete_change_set(self, **arguments: Any) -> None:
        if self.status is None:
            raise self._error("ValidationError", "Stack does not exist")

    def delete_stack(self, StackName: str) -> None:
        self.calls.append("delete_stack")
        self.status = None

    def continue_update_rollback(self, StackName: str) -> None:
        self.calls.append("continue_update_rollback")
        self.status = "UPDATE_ROLLBACK_COMPLETE"

    @staticmethod
    def _error(code: str, message: str) -> ClientError:
        return ClientError({"Error": {"Code": code, "Message": message}}, "Operation")


def deploy(client: FakeCloudFormation) -> Any:
    stack = Deployer(client, sleep=lambda _: None, progress=lambda _: None)
    return stack.deploy("https://bucket/template.json", {"Name": "value"}, "up")


def test_without_a_stack_one_is_created() -> None:
    client = FakeCloudFormation(None)
    outcome = deploy(client)
    assert (client.change_set_type, outcome.changed, outcome.outputs) == ("CREATE", True, {"RestAPIId": "abc"})


def test_a_good_stack_is_updated() -> None:
    client = FakeCloudFormation("CREATE_COMPLETE", then="UPDATE_COMPLETE")
    assert deploy(client).changed
    assert client.change_set_type == "UPDATE"


@pytest.mark.parametrize(
    "words",
    [
        "The submitted information didn't contain changes. Submit different information.",
        "No updates are to be performed.",
    ],
)
def test_an_empty_change_set_means_nothing_to_do(words: str) -> None:
    client = FakeCloudFormation("UPDATE_COMPLETE", change_set="FAILED")
    client.reason = words
    outcome = deploy(client)
    assert not outcome.changed
    assert "execute_change_set" not in client.calls


def test_a_refused_change_set_is_reported_with_its_reason() -> None:
    client = FakeCloudFormation("UPDATE_COMPLETE", change_set="FAILED")
    client.reason = "Transform failed: no such bucket"
    with pytest.raises(CommandFailed, match="no such bucket"):
        deploy(client)


@pytest.mark.parametrize("status", ["ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "DELETE_FAILED"])
def test_a_stack_that_never_worked_is_deleted_and_created_anew(status: str) -> None:
    client = FakeCloudFormation(status)
    assert deploy(client).changed
    assert client.calls == ["delete_stack", "create_change_set", "execute_change_set"]
    assert client.change_set_type == "CREATE"


def test_a_failed_rollback_is_continued_and_never_deleted() -> None:
    client = FakeCloudFormation("UPDATE_ROLLBACK_FAILED", then="UPDATE_COMPLETE")
    assert deploy(client).changed
    assert client.calls == ["continue_update_rollback", "create_change_set", "execute_change_set"]


def test_a_change_set_left_by_a_killed_run_does_not_make_it_an_update() -> None:
    client = FakeCloudFormation("REVIEW_IN_PROGRESS")
    deploy(client)
    assert client.change_set_type == "CREATE"


def test_a_stack_that_somebody_else_is_changing_is_waited_for() -> None:
    client = FakeCloudFormation("UPDATE_IN_PROGRESS", then="UPDATE_COMPLETE")
    assert deploy(client).changed


@pytest.mark.parametrize("status", ["IMPORT_ROLLBACK_FAILED", "A_STATE_OF_NEXT_YEAR"])
def test_a_state_that_only_a_person_can_settle_is_refused(status: str) -> None:
    client = FakeCloudFormation(status)
    with pytest.raises(CommandFailed, match=f"stack proxyctl is {status}; settle it in CloudFormation"):
        deploy(client)
    assert client.calls == []


def test_an_operation_of_somebody_else_that_does_not_end_is_not_interfered_with() -> None:
    client = FakeCloudFormation("UPDATE_IN_PROGRESS", then="UPDATE_IN_PROGRESS")
    with pytest.raises(CommandFailed, match="stack proxyctl is UPDATE_IN_PROGRESS; settle it"):
        deploy(client)
    assert client.calls == []


@pytest.mark.parametrize("status", STATES)
def test_every_state_is_deployed_to_as_the_control_plane_would(status: str) -> None:
    """One table says what a state means for environments and for the control plane itself."""
    client = FakeCloudFormation(status, then="UPDATE_COMPLETE")
    move = next_move("UPDATE_COMPLETE" if next_move(status) is Move.WAIT else status)
    if move is Move.REFUSE:
        with pytest.raises(CommandFailed):
            deploy(client)
        return
    assert deploy(client).changed
    assert client.change_set_type == ("CREATE" if move in (Move.CREATE, Move.DELETE) else "UPDATE")
    assert ("delete_stack" in client.calls) is (move is Move.DELETE)
    assert ("continue_update_rollback" in client.calls) is (move is Move.CONTINUE_ROLLBACK)


def test_a_failed_update_is_reported_by_its_first_failed_resource() -> None:
    """Not by `Resource update cancelled`, and not by a failure of an earlier run."""
    client = FakeCloudFormation("UPDATE_COMPLETE", then="UPDATE_ROLLBACK_COMPLETE")
    failed = {"ResourceType": "AWS::Lambda::Function", "ResourceStatus": "UPDATE_FAILED"}
    client.later = [
        failed | {"EventId": "3", "LogicalResourceId": "Bake", "ResourceStatusReason": "Resource update cancelled"},
        failed | {"EventId": "2", "LogicalResourceId": "LoadTest", "ResourceStatusReason": "MemorySize is too large"},
    ]
    with pytest.raises(CommandFailed, match=r"UPDATE_ROLLBACK_COMPLETE: LoadTest .*MemorySize is too large"):
        deploy(client)


def events(count: int) -> list[dict[str, str]]:
    """Newest first: `count` events of one operation, of which the first in time is the cause of the failure."""
    quiet = {"ResourceType": "AWS::Lambda::Function", "ResourceStatus": "UPDATE_COMPLETE"}
    cause = {"ResourceType": "AWS::Logs::LogGroup", "ResourceStatus": "UPDATE_FAILED", "ResourceStatusReason": "taken"}
    rest = [quiet | {"EventId": f"e{number}", "LogicalResourceId": "Other"} for number in range(count - 1)]
    return [*rest, cause | {"EventId": "cause", "LogicalResourceId": "Log"}]


@pytest.mark.parametrize("count", [1, 2, 99, 100, 101, 180, 200, 201, 950])
def test_the_cause_is_named_however_many_events_follow_it(count: int) -> None:
    client = FakeCloudFormation("UPDATE_COMPLETE", then="UPDATE_ROLLBACK_COMPLETE")
    client.later = events(count)
    with pytest.raises(
        CommandFailed, match=r"UPDATE_ROLLBACK_COMPLETE: Log \(AWS::Logs::LogGroup\) UPDATE_FAILED: taken"
    ):
        deploy(client)


@pytest.mark.parametrize("count", [1, 99, 100, 101, 180])
def test_a_failure_of_an_earlier_operation_is_never_named(count: int) -> None:
    """The events of this operation hold no failure; `Old`, which failed before it, comes right after them."""
    client = FakeCloudFormation("UPDATE_COMPLETE", then="UPDATE_ROLLBACK_COMPLETE")
    client.later = [event | {"ResourceStatus": "UPDATE_COMPLETE"} for event in events(count)]
    with pytest.raises(CommandFailed, match="CloudFormation names no failed resource"):
        deploy(client)


def test_pages_older_than_the_operation_are_not_read() -> None:
    """A stack of three years has thousands of events; DescribeStackEvents is throttled at a few calls a second."""
    client = FakeCloudFormation("UPDATE_COMPLETE", then="UPDATE_ROLLBACK_COMPLETE")
    client.events = [event | {"EventId": f"old-{event['EventId']}"} for event in events(500)]
    client.later = events(150)
    with pytest.raises(CommandFailed, match="taken"):
        deploy(client)
    assert client.pages_read == 1 + 2  # the newest event before, then the 150 of this operation


def test_pages_are_asked_for_as_cloudformation_links_them() -> None:
    """Against botocore's own model of the API: the second request carries the first answer's token."""
    client = boto3.client(
        "cloudformation", region_name="eu-central-1", aws_access_key_id="x", aws_secret_access_key="x"
    )
    required = {"StackId": "arn:s", "StackName": "proxyctl", "Timestamp": datetime(2026, 1, 1, tzinfo=UTC)}
    first, second = ([required | event for event in page] for page in (events(180)[:100], events(180)[100:]))
    with Stubber(client) as stubber:
        asks = {"StackName": "proxyctl"}
        stubber.add_response("describe_stack_events", {"StackEvents": first, "NextToken": "more"}, asks)
        stubber.add_response("describe_stack_events", {"StackEvents": second}, asks | {"NextToken": "more"})
        assert "Log (AWS::Logs::LogGroup) UPDATE_FAILED: taken" in Deployer(client)._first_failure("")
        stubber.assert_no_pending_responses()


def test_deleting_what_is_not_there_is_fine() -> None:
    assert not Deployer(FakeCloudFormation(None), sleep=lambda _: None).delete()


LEFT = Import("{}", ({"ResourceType": "T", "LogicalResourceId": "Table", "ResourceIdentifier": {"N": "n"}},))


@pytest.mark.parametrize(
    ("status", "kinds"),
    [
        (None, ["IMPORT", "UPDATE"]),
        ("REVIEW_IN_PROGRESS", ["IMPORT", "UPDATE"]),
        ("DELETE_FAILED", ["IMPORT", "UPDATE"]),
        ("CREATE_COMPLETE", ["UPDATE"]),
        ("IMPORT_COMPLETE", ["UPDATE"]),
    ],
)
def test_a_new_stack_imports_what_an_earlier_one_has_left(status: str | None, kinds: list[str]) -> None:
    client = FakeCloudFormation(status, then="IMPORT_COMPLETE")
    stack = Deployer(client, sleep=lambda _: None, progress=lambda _: None)
    stack.deploy("https://bucket/template.json", {}, "up", LEFT)
    assert client.change_set_types == kinds
