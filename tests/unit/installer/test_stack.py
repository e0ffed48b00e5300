"""The control plane's stack is deployed from whatever state it is found in."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from installer.errors import CommandFailed
from installer.stack import Stack


class FakeCloudFormation:
    """One stack: `status` now, `then` after the next execution; change sets end as `change_set` says."""

    def __init__(self, status: str | None, then: str = "CREATE_COMPLETE", change_set: str = "CREATE_COMPLETE") -> None:
        self.status, self.then, self.change_set = status, then, change_set
        self.reason = ""
        self.calls: list[str] = []
        self.change_set_type = ""
        self.events = [
            {"EventId": "old", "LogicalResourceId": "Old", "ResourceType": "T", "ResourceStatus": "CREATE_FAILED"}
        ]
        self.later: list[dict[str, str]] = []

    def describe_stacks(self, StackName: str) -> dict[str, Any]:
        if self.status is None:
            raise self._error("ValidationError", f"Stack with id {StackName} does not exist")
        found = {"StackName": StackName, "StackStatus": self.status}
        if self.status.endswith("_IN_PROGRESS") and self.status != "REVIEW_IN_PROGRESS":
            self.status = self.then
        return {"Stacks": [found | {"Outputs": [{"OutputKey": "RestAPIId", "OutputValue": "abc"}]}]}

    def describe_stack_events(self, StackName: str) -> dict[str, Any]:
        return {"StackEvents": self.events}

    def create_change_set(self, **given: Any) -> None:
        self.calls.append("create_change_set")
        self.change_set_type = given["ChangeSetType"]

    def describe_change_set(self, **given: Any) -> dict[str, Any]:
        return {"Status": self.change_set, "StatusReason": self.reason, "Changes": []}

    def execute_change_set(self, **given: Any) -> None:
        self.calls.append("execute_change_set")
        self.status = "UPDATE_IN_PROGRESS"
        self.events = [*self.later, *self.events]

    def delete_change_set(self, **given: Any) -> None:
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
    stack = Stack(client, sleep=lambda _: None, progress=lambda _: None)
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


def test_a_refused_change_set_is_told_with_its_reason() -> None:
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


def test_a_failed_update_is_told_by_its_first_failed_resource() -> None:
    """Not by `Resource update cancelled`, and not by a failure of an earlier run."""
    client = FakeCloudFormation("UPDATE_COMPLETE", then="UPDATE_ROLLBACK_COMPLETE")
    failed = {"ResourceType": "AWS::Lambda::Function", "ResourceStatus": "UPDATE_FAILED"}
    client.later = [
        failed | {"EventId": "3", "LogicalResourceId": "Bake", "ResourceStatusReason": "Resource update cancelled"},
        failed | {"EventId": "2", "LogicalResourceId": "LoadTest", "ResourceStatusReason": "MemorySize is too large"},
    ]
    with pytest.raises(CommandFailed, match=r"UPDATE_ROLLBACK_COMPLETE: LoadTest .*MemorySize is too large"):
        deploy(client)


def test_deleting_what_is_not_there_is_fine() -> None:
    assert not Stack(FakeCloudFormation(None), sleep=lambda _: None).delete()
