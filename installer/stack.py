"""The control plane's CloudFormation stack: always through a change set, whatever state the stack is in."""

import itertools
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import NotRequired, TypedDict

from botocore.client import BaseClient
from botocore.exceptions import ClientError

from installer.errors import CommandFailed

STACK = "proxyctl"
CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]
TAGS = [{"Key": "proxyctl:owner", "Value": "proxyctl"}]
LIMIT_S = 1800.0
_FIRST_PAUSE_S, _LAST_PAUSE_S = 0.3, 10.0
# CloudFormation ends an empty change set as FAILED, with one of these reasons.
_EMPTY = ("didn't contain changes", "No updates are to be performed")
_NEVER_WORKED = ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "DELETE_FAILED")
_DEPLOYED = ("CREATE_COMPLETE", "UPDATE_COMPLETE")
Sleep = Callable[[float], None]
Progress = Callable[[str], None]


class Output(TypedDict):
    """One output of a stack, as describe_stacks returns it."""

    OutputKey: str
    OutputValue: str


class Parameter(TypedDict):
    """One parameter of a stack, as describe_stacks returns it."""

    ParameterKey: str
    ParameterValue: str


class Description(TypedDict):
    """What this module reads of describe_stacks' answer."""

    StackName: str
    StackStatus: str
    Outputs: NotRequired[list[Output]]
    Parameters: NotRequired[list[Parameter]]


class Event(TypedDict):
    """What this module reads of describe_stack_events' answer."""

    EventId: str
    LogicalResourceId: str
    ResourceType: str
    ResourceStatus: NotRequired[str]
    ResourceStatusReason: NotRequired[str]


class ResourceChange(TypedDict, total=False):
    """What a change set does to one resource: Add, Modify, Remove, …"""

    Action: str


class Change(TypedDict, total=False):
    """One change of a change set."""

    ResourceChange: ResourceChange


class ChangeSet(TypedDict):
    """What this module reads of describe_change_set's answer."""

    Status: str
    StatusReason: NotRequired[str]
    Changes: NotRequired[list[Change]]


@dataclass(frozen=True)
class Outcome:
    """changed: False when the change set was empty. outputs: the stack's, by key."""

    changed: bool
    outputs: Mapping[str, str]


def outputs_of(stack: Description | None) -> dict[str, str]:
    """Outputs by key; {} when there is no stack."""
    return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])} if stack else {}


def parameters_of(stack: Description) -> dict[str, str]:
    """Parameters by key."""
    return {item["ParameterKey"]: item["ParameterValue"] for item in stack.get("Parameters", [])}


class Stack:
    """One stack. `sleep` and `progress` are inputs so that tests neither wait nor print."""

    def __init__(
        self, client: BaseClient, name: str = STACK, sleep: Sleep = time.sleep, progress: Progress = print
    ) -> None:
        self._client, self._name, self._sleep, self._progress = client, name, sleep, progress

    def describe(self) -> Description | None:
        """The stack as CloudFormation describes it; None when there is none."""
        try:
            stack: Description = self._client.describe_stacks(StackName=self._name)["Stacks"][0]
        except ClientError as error:
            if "does not exist" in str(error):
                return None
            raise
        return None if stack["StackStatus"] == "DELETE_COMPLETE" else stack

    def deploy(self, template_url: str, parameters: Mapping[str, str], change_set: str) -> Outcome:
        """Create or update the stack. Raises CommandFailed with the reason of the resource that failed first."""
        exists = self._make_deployable()
        self._client.create_change_set(
            StackName=self._name,
            ChangeSetName=change_set,
            ChangeSetType="UPDATE" if exists else "CREATE",
            TemplateURL=template_url,
            Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()],
            Capabilities=CAPABILITIES,
            Tags=TAGS,
        )
        changes = self._await_change_set(change_set)
        if changes["Status"] == "FAILED":
            self._discard(change_set, changes)
            return Outcome(False, outputs_of(self.describe()))
        self._progress(f"stack {self._name}: {'updating' if exists else 'creating'}, {_count(changes)}")
        return Outcome(True, self._execute(change_set))

    def delete(self) -> bool:
        """Delete the stack and wait; False when there was none. Raises CommandFailed naming what could not go."""
        if self.describe() is None:
            return False
        last_event = self._newest_event()
        self._client.delete_stack(StackName=self._name)
        for _ in self._polls():
            stack = self.describe()
            if stack is None:
                return True
            if stack["StackStatus"] == "DELETE_FAILED":
                raise CommandFailed(f"stack {self._name} could not be deleted: {self._first_failure(last_event)}")
        raise CommandFailed(f"stack {self._name} still exists after {LIMIT_S:.0f} s; run the command again")

    def _make_deployable(self) -> bool:
        """Bring the stack into a state that accepts a change set; returns whether it exists then."""
        stack = self._await_others()
        if stack is None or _is_review(stack):
            return False  # REVIEW_IN_PROGRESS: a change set of type CREATE exists, and no resource
        status = stack["StackStatus"]
        if status in _NEVER_WORKED:
            self._progress(f"stack {self._name} is {status}: it never worked, deleting it first")
            self.delete()
            return False
        if status == "UPDATE_ROLLBACK_FAILED":
            self._progress(f"stack {self._name} is {status}: continuing its rollback first")
            last_event = self._newest_event()
            self._client.continue_update_rollback(StackName=self._name)
            self._await_stack(last_event, ("UPDATE_ROLLBACK_COMPLETE",))
        return True

    def _await_others(self) -> Description | None:
        """The stack once no other operation changes it, or as it stands at the time limit."""
        stack = self.describe()
        for _ in self._polls():
            if stack is None or not stack["StackStatus"].endswith("_IN_PROGRESS") or _is_review(stack):
                break
            self._progress(f"stack {self._name} is {stack['StackStatus']}, waiting for it")
            stack = self.describe()
        return stack

    def _discard(self, name: str, change_set: ChangeSet) -> None:
        """Delete a change set that FAILED. Raises CommandFailed unless it failed for being empty."""
        reason = change_set.get("StatusReason", "no reason given")
        try:
            self._client.delete_change_set(StackName=self._name, ChangeSetName=name)
        except ClientError as error:
            if error.response["Error"]["Code"] not in ("ChangeSetNotFound", "ValidationError"):
                raise
        if not any(words in reason for words in _EMPTY):
            raise CommandFailed(f"CloudFormation refuses the change set: {reason}")

    def _execute(self, change_set: str) -> dict[str, str]:
        last_event = self._newest_event()
        self._client.execute_change_set(StackName=self._name, ChangeSetName=change_set)
        return outputs_of(self._await_stack(last_event, _DEPLOYED))

    def _await_change_set(self, name: str) -> ChangeSet:
        for _ in self._polls():
            change_set: ChangeSet = self._client.describe_change_set(StackName=self._name, ChangeSetName=name)
            if change_set["Status"] in ("CREATE_COMPLETE", "FAILED"):
                return change_set
        raise CommandFailed(f"the change set {name} was not ready after {LIMIT_S:.0f} s")

    def _await_stack(self, last_event: str, wanted: tuple[str, ...]) -> Description:
        """The stack in one of the `wanted` states. Raises CommandFailed for any other final state."""
        for _ in self._polls():
            stack = self.describe()
            status = stack["StackStatus"] if stack else "gone"
            if stack and status in wanted:
                return stack
            if not status.endswith("_IN_PROGRESS"):
                raise CommandFailed(f"stack {self._name} is {status}: {self._first_failure(last_event)}")
        raise CommandFailed(f"stack {self._name} was not ready after {LIMIT_S:.0f} s; run the command again")

    def _newest_event(self) -> str:
        """The id of the last event before an operation starts; "" when there is none."""
        return next((event["EventId"] for event in self._events()), "")

    def _events(self) -> Iterator[Event]:
        """Newest first, read page by page (100 events each). A deleted stack has none under its name."""
        pages = self._client.get_paginator("describe_stack_events").paginate(StackName=self._name)
        try:
            for page in pages:
                yield from page["StackEvents"]
        except ClientError:
            return

    def _first_failure(self, last_event: str) -> str:
        """What failed first after `last_event`: later failures are mostly `Resource creation cancelled`."""
        since = list(itertools.takewhile(lambda event: event["EventId"] != last_event, self._events()))
        for event in reversed(since):
            if event.get("ResourceStatus", "").endswith("_FAILED"):
                resource = f"{event['LogicalResourceId']} ({event['ResourceType']})"
                return f"{resource}: {event.get('ResourceStatusReason', 'no reason given')}"
        return "CloudFormation names no failed resource; see the stack's events"

    def _polls(self) -> Iterator[None]:
        """Yields at once, then after growing pauses, until the time limit."""
        waited_s, pause_s = 0.0, _FIRST_PAUSE_S
        while waited_s < LIMIT_S:
            yield
            self._sleep(pause_s)
            waited_s += pause_s
            pause_s = min(pause_s * 1.3, _LAST_PAUSE_S)


def _is_review(stack: Description) -> bool:
    return stack["StackStatus"] == "REVIEW_IN_PROGRESS"


def _count(change_set: ChangeSet) -> str:
    """`3 to add, 1 to modify`."""
    changes = (change.get("ResourceChange", {}) for change in change_set.get("Changes", []))
    actions = Counter(change.get("Action", "?").lower() for change in changes)
    return ", ".join(f"{count} to {action}" for action, count in sorted(actions.items())) or "changes not listed"
