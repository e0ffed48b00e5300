"""The control plane's CloudFormation stack: always through a change set, from whatever state it is found in."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from installer.errors import CommandFailed

STACK = "proxyctl"
CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]
TAGS = [{"Key": "proxyctl:owner", "Value": "proxyctl"}]
LIMIT_S = 1800.0
# Words by which CloudFormation says that there is nothing to do; it calls that a failure.
_EMPTY = ("didn't contain changes", "No updates are to be performed")
Sleep = Callable[[float], None]
Progress = Callable[[str], None]


@dataclass(frozen=True)
class Outcome:
    """changed: False when the change set was empty. outputs: the stack's, by key."""

    changed: bool
    outputs: Mapping[str, str]


class Stack:
    """One stack. `sleep` and `progress` are inputs so that tests neither wait nor print."""

    def __init__(self, client: Any, name: str = STACK, sleep: Sleep = time.sleep, progress: Progress = print) -> None:
        self._client, self._name, self._sleep, self._progress = client, name, sleep, progress

    def describe(self) -> dict[str, Any] | None:
        """The stack as CloudFormation describes it; None when there is none."""
        try:
            found: dict[str, Any] = self._client.describe_stacks(StackName=self._name)["Stacks"][0]
        except ClientError as error:
            if "does not exist" in str(error):
                return None
            raise
        return None if found["StackStatus"] == "DELETE_COMPLETE" else found

    def outputs(self) -> dict[str, str]:
        """Outputs by key; {} when there is no stack."""
        found = self.describe() or {}
        return {one["OutputKey"]: one["OutputValue"] for one in found.get("Outputs", [])}

    def deploy(self, template_url: str, parameters: Mapping[str, str], change_set: str) -> Outcome:
        """Create or update. Raises CommandFailed with the first failed resource's reason."""
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
        described = self._await_change_set(change_set)
        if described["Status"] == "FAILED":
            reason = str(described.get("StatusReason", "no reason given"))
            self._drop_change_set(change_set)
            if not any(words in reason for words in _EMPTY):
                raise CommandFailed(f"CloudFormation refuses the change set: {reason}")
            return Outcome(False, self.outputs())
        self._progress(f"stack {self._name}: {'updating' if exists else 'creating'}, {_count(described)}")
        began = self._newest_event()
        self._client.execute_change_set(StackName=self._name, ChangeSetName=change_set)
        self._await_stack(began)
        return Outcome(True, self.outputs())

    def delete(self) -> bool:
        """Delete and wait; answers False when there was none. Raises CommandFailed naming what could not go."""
        found = self.describe()
        if found is None:
            return False
        began = self._newest_event()
        self._client.delete_stack(StackName=self._name)
        for _ in self._polls():
            found = self.describe()
            if found is None:
                return True
            if found["StackStatus"] == "DELETE_FAILED":
                raise CommandFailed(f"stack {self._name} could not be deleted: {self._first_failure(began)}")
        raise CommandFailed(f"stack {self._name} was not gone after {LIMIT_S:.0f} s; run the command again")

    def _make_deployable(self) -> bool:
        """Bring the stack into a state that takes a change set; answers whether it exists then."""
        found = self.describe()
        for _ in self._polls():
            if found is None or not found["StackStatus"].endswith("_IN_PROGRESS") or _is_review(found):
                break
            self._progress(f"stack {self._name} is {found['StackStatus']}, waiting for it")
            found = self.describe()
        if found is None or _is_review(found):
            return False  # REVIEW_IN_PROGRESS: a change set of type CREATE was made, nothing else
        status = found["StackStatus"]
        if status in ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "DELETE_FAILED"):
            self._progress(f"stack {self._name} is {status}: it never worked, and is deleted first")
            self.delete()
            return False
        if status == "UPDATE_ROLLBACK_FAILED":
            self._progress(f"stack {self._name} is {status}: its rollback is continued first")
            began = self._newest_event()
            self._client.continue_update_rollback(StackName=self._name)
            self._await_stack(began, wanted=("UPDATE_ROLLBACK_COMPLETE",))
        return True

    def _drop_change_set(self, name: str) -> None:
        try:
            self._client.delete_change_set(StackName=self._name, ChangeSetName=name)
        except ClientError as error:
            if error.response["Error"]["Code"] not in ("ChangeSetNotFound", "ValidationError"):
                raise

    def _await_change_set(self, name: str) -> dict[str, Any]:
        for _ in self._polls():
            found: dict[str, Any] = self._client.describe_change_set(StackName=self._name, ChangeSetName=name)
            if found["Status"] in ("CREATE_COMPLETE", "FAILED"):
                return found
        raise CommandFailed(f"the change set {name} was not ready after {LIMIT_S:.0f} s")

    def _await_stack(self, began: str, wanted: tuple[str, ...] = ("CREATE_COMPLETE", "UPDATE_COMPLETE")) -> None:
        for _ in self._polls():
            found = self.describe()
            status = found["StackStatus"] if found else "gone"
            if status in wanted:
                return
            if status == "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS" or status.endswith("_IN_PROGRESS"):
                continue
            raise CommandFailed(f"stack {self._name} is {status}: {self._first_failure(began)}")
        raise CommandFailed(f"stack {self._name} was not ready after {LIMIT_S:.0f} s; run the command again")

    def _newest_event(self) -> str:
        """The id of the last event before what we start now; "" when there is none."""
        events = self._events()
        return str(events[0]["EventId"]) if events else ""

    def _events(self) -> list[dict[str, Any]]:
        """Newest first. A deleted stack has none under its name."""
        try:
            return list(self._client.describe_stack_events(StackName=self._name)["StackEvents"])
        except ClientError:
            return []

    def _first_failure(self, began: str) -> str:
        """What went wrong first since then: later failures are mostly `Resource creation cancelled`."""
        since: list[dict[str, Any]] = []
        for event in self._events():
            if event["EventId"] == began:
                break
            since.append(event)
        for event in reversed(since):
            if str(event.get("ResourceStatus", "")).endswith("_FAILED"):
                resource = f"{event['LogicalResourceId']} ({event['ResourceType']})"
                return f"{resource}: {event.get('ResourceStatusReason', 'no reason given')}"
        return "CloudFormation names no failed resource; see the stack's events"

    def _polls(self) -> Any:
        """Yields at once, then after growing pauses, until the limit."""
        waited, pause = 0.0, 0.3
        while waited < LIMIT_S:
            yield
            self._sleep(pause)
            waited += pause
            pause = min(pause * 1.3, 10.0)


def _is_review(found: Mapping[str, Any]) -> bool:
    return bool(found["StackStatus"] == "REVIEW_IN_PROGRESS")


def _count(change_set: Mapping[str, Any]) -> str:
    kinds: dict[str, int] = {}
    for change in change_set.get("Changes", []):
        action = str(change.get("ResourceChange", {}).get("Action", "?")).lower()
        kinds[action] = kinds.get(action, 0) + 1
    return ", ".join(f"{count} to {kind}" for kind, count in sorted(kinds.items())) or "changes not listed"
