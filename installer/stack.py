"""The control plane's own stack: always through a change set, whatever state the stack is in.

What a state means, which change set is empty and what caused a failure is the control plane's knowledge of environment
stacks; the installer imports those pure modules instead of repeating them (docs/decisions/006).
"""

import itertools
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from botocore.client import BaseClient
from botocore.exceptions import ClientError
from chalicelib.adapters.stack_values import event_of, stack_of
from chalicelib.domain.aws.stacks import Stack, StackEvent
from chalicelib.stack import failure, state
from chalicelib.stack.state import Move

from installer.errors import CommandFailed
from installer.retained import Import

STACK = "proxyctl"
TABLE = "proxyctl"  # the stack's, which outlives it
CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]
TAGS = [{"Key": "proxyctl:owner", "Value": "proxyctl"}]
LIMIT_S = 1800.0
_FIRST_PAUSE_S, _LAST_PAUSE_S = 0.3, 10.0
Sleep = Callable[[float], None]
Progress = Callable[[str], None]


@dataclass(frozen=True)
class Outcome:
    """changed: False when the change set was empty. outputs: the stack's, by key."""

    changed: bool
    outputs: Mapping[str, str]


class Deployer:
    """Deploys and deletes one stack. `sleep` and `progress` are inputs so that tests neither wait nor print."""

    def __init__(
        self, client: BaseClient, name: str = STACK, sleep: Sleep = time.sleep, progress: Progress = print
    ) -> None:
        self._client, self._name, self._sleep, self._progress = client, name, sleep, progress
        self.tags = TAGS

    def find(self) -> Stack | None:
        """The stack in its current state; None when there is none."""
        try:
            stack = stack_of(self._client.describe_stacks(StackName=self._name)["Stacks"][0])
        except ClientError as error:
            if "does not exist" in str(error):
                return None
            raise
        return None if stack.status == "DELETE_COMPLETE" else stack

    def deploy(
        self, template_url: str, parameters: Mapping[str, str], change_set: str, left: Import | None = None
    ) -> Outcome:
        """Create or update the stack. left: what an earlier stack of the name has left, for a new one to import.

        Raises CommandFailed with the reason of the resource that failed first.
        """
        exists = self._make_deployable()
        if left and not exists:
            self._import(left, parameters, f"{change_set}-import")
            exists = True
        self._client.create_change_set(
            StackName=self._name,
            ChangeSetName=change_set,
            ChangeSetType="UPDATE" if exists else "CREATE",
            TemplateURL=template_url,
            Parameters=_listed(parameters),
            Capabilities=CAPABILITIES,
            Tags=self.tags,
        )
        actions = self._await_change_set(change_set)
        if actions is None:
            stack = self.find()
            return Outcome(False, stack.outputs if stack else {})
        self._progress(f"stack {self._name}: {'updating' if exists else 'creating'}, {_count(actions)}")
        last_event = self._newest_event()
        self._client.execute_change_set(StackName=self._name, ChangeSetName=change_set)
        return Outcome(True, self._await_stack(last_event, state.succeeded).outputs)

    def _import(self, left: Import, parameters: Mapping[str, str], change_set: str) -> None:
        names = ", ".join(str(each["LogicalResourceId"]) for each in left.resources)
        self._progress(f"stack {self._name}: importing what an earlier one has left ({names})")
        self._client.create_change_set(
            StackName=self._name,
            ChangeSetName=change_set,
            ChangeSetType="IMPORT",
            TemplateBody=left.template,
            Parameters=_listed(parameters),
            ResourcesToImport=list(left.resources),  # without Tags: an import may not add any, the update does
        )
        self._await_change_set(change_set)
        last_event = self._newest_event()
        self._client.execute_change_set(StackName=self._name, ChangeSetName=change_set)
        self._await_stack(last_event, state.succeeded)

    def delete(self) -> bool:
        """Delete the stack and wait; False when there was none. Raises CommandFailed naming what could not go."""
        if self.find() is None:
            return False
        last_event = self._newest_event()
        self._client.delete_stack(StackName=self._name)
        for _ in self._polls():
            stack = self.find()
            if stack is None:
                return True
            if stack.status == "DELETE_FAILED":
                raise CommandFailed(f"stack {self._name} could not be deleted: {self._first_failure(last_event)}")
        raise CommandFailed(f"stack {self._name} still exists after {LIMIT_S:.0f} s; run the command again")

    def _make_deployable(self) -> bool:
        """Bring the stack into a state that accepts a change set; returns whether it exists then."""
        status = self._await_others()
        move = state.next_move(status)
        if move is Move.DELETE:
            self._progress(f"stack {self._name} is {status}: it never worked, deleting it first")
            self.delete()
        elif move is Move.CONTINUE_ROLLBACK:
            self._progress(f"stack {self._name} is {status}: continuing its rollback first")
            self._continue_rollback()
        elif move in (Move.REFUSE, Move.WAIT):
            raise CommandFailed(f"stack {self._name} is {status}; settle it in CloudFormation, then run this again")
        return move in (Move.UPDATE, Move.CONTINUE_ROLLBACK)

    def _await_others(self) -> str | None:
        """The stack's status once no other operation changes it, or at the time limit; None when there is none."""
        status: str | None = None
        for _ in self._polls():
            stack = self.find()
            status = stack.status if stack else None
            if state.next_move(status) is not Move.WAIT:
                break
            self._progress(f"stack {self._name} is {status}, waiting for it")
        return status

    def _continue_rollback(self) -> None:
        last_event = self._newest_event()
        self._client.continue_update_rollback(StackName=self._name)
        self._await_stack(last_event, lambda status: status == "UPDATE_ROLLBACK_COMPLETE")

    def _await_change_set(self, name: str) -> list[str] | None:
        """The action of each change; None for an empty change set. Raises CommandFailed for a refused one."""
        for _ in self._polls():
            answer = self._client.describe_change_set(StackName=self._name, ChangeSetName=name)
            if answer["Status"] == "CREATE_COMPLETE":
                return [str(change["ResourceChange"]["Action"]) for change in answer.get("Changes", [])]
            if answer["Status"] == "FAILED":
                self._discard(name, str(answer.get("StatusReason", "no reason given")))
                return None
        raise CommandFailed(f"the change set {name} was not ready after {LIMIT_S:.0f} s")

    def _discard(self, change_set: str, reason: str) -> None:
        """Delete a change set that FAILED. Raises CommandFailed unless it failed for being empty."""
        try:
            self._client.delete_change_set(StackName=self._name, ChangeSetName=change_set)
        except ClientError as error:
            if error.response["Error"]["Code"] not in ("ChangeSetNotFound", "ValidationError"):
                raise
        if not state.is_empty("FAILED", reason):
            raise CommandFailed(f"CloudFormation refuses the change set: {reason}")

    def _await_stack(self, last_event: str, is_wanted: Callable[[str], bool]) -> Stack:
        """The stack in a wanted state. Raises CommandFailed for any other state that lasts."""
        for _ in self._polls():
            stack = self.find()
            status = stack.status if stack else "gone"
            if stack and is_wanted(status):
                return stack
            if not state.in_progress(status):
                raise CommandFailed(f"stack {self._name} is {status}: {self._first_failure(last_event)}")
        raise CommandFailed(f"stack {self._name} was not ready after {LIMIT_S:.0f} s; run the command again")

    def _newest_event(self) -> str:
        """The id of the last event before an operation starts; "" when there is none."""
        return next((event.id for event in self._events()), "")

    def _events(self) -> Iterator[StackEvent]:
        """Newest first, read page by page (100 events each). A deleted stack has none under its name."""
        pages = self._client.get_paginator("describe_stack_events").paginate(StackName=self._name)
        try:
            for page in pages:
                yield from map(event_of, page["StackEvents"])
        except ClientError:
            return

    def _first_failure(self, last_event: str) -> str:
        """The cause of the failure of the operation that began after `last_event`."""
        events = list(itertools.takewhile(lambda event: event.id != last_event, self._events()))
        cause = failure.root_cause(reversed(events))
        return str(cause) if cause else "CloudFormation names no failed resource; see the stack's events"

    def _polls(self) -> Iterator[None]:
        """Yields at once, then after growing pauses, until the time limit."""
        waited_s, pause_s = 0.0, _FIRST_PAUSE_S
        while waited_s < LIMIT_S:
            yield
            self._sleep(pause_s)
            waited_s += pause_s
            pause_s = min(pause_s * 1.3, _LAST_PAUSE_S)


def _listed(parameters: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()]


def _count(actions: list[str]) -> str:
    """`3 to add, 1 to modify`."""
    counts = Counter(action.lower() for action in actions)
    return ", ".join(f"{count} to {action}" for action, count in sorted(counts.items())) or "changes not listed"
