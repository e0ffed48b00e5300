"""CloudFormation stacks, their change sets and events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from chalicelib.domain.aws.stacks import Change, ChangeSet, Detection, ResourceDrift, Stack, StackEvent, StackResource

__all__ = ["Change", "ChangeSet", "Detection", "ResourceDrift", "Stack", "StackEvent", "StackResource", "Stacks"]


class Stacks(Protocol):
    """Stacks by name or ID; a stack that is gone can be asked for by its ID only."""

    def find(self, stack: str) -> Stack | None: ...

    def resources(self, stack: str) -> Sequence[StackResource]:
        """Raises NotFound."""
        ...

    def template(self, stack: str) -> str:
        """The template as it was sent, before SAM transformed it. Raises NotFound."""
        ...

    def events(self, stack_id: str, *, after: str = "") -> Sequence[StackEvent]:
        """Oldest first; with `after`, only those after the event with that ID if it exists."""
        ...

    def validate(self, template: str) -> Sequence[str]:
        """Names of the template's parameters. Raises AwsCallFailed with CloudFormation's own words."""
        ...

    def create_change_set(
        self,
        stack: str,
        name: str,
        *,
        template: str | None,
        parameters: Mapping[str, str | None],
        tags: Mapping[str, str],
        creates: bool,
        description: str = "",
        role_arn: str = "",
        template_url: str = "",
    ) -> ChangeSet:
        """Ask for a change set; a template or parameter that is None stays as the stack has it.

        template_url: where the template lies in S3, instead of `template`; SAM transforms it.
        role_arn: the role with which CloudFormation will carry it out; "" for that of the stack. Raises Conflict
        (ChangeSetExists) when the stack has a change set of that name, or (StackMoved) when somebody else has created
        it or works on it meanwhile.
        """
        ...

    def change_set(self, stack: str, name: str) -> ChangeSet:
        """By name or id. Raises NotFound."""
        ...

    def change_sets(self, stack: str) -> Sequence[ChangeSet]:
        """Those not executed yet, without their changes; none for a stack that does not exist."""
        ...

    def delete_change_set(self, stack: str, name: str) -> None: ...

    def execute(self, stack: str, change_set_id: str, token: str) -> None:
        """Start it; the token marks the events that it causes."""
        ...

    def continue_rollback(self, stack: str, token: str, *, role_arn: str) -> None:
        """role_arn: "" for the caller's own rights."""
        ...

    def detect_drift(self, stack: str) -> str:
        """Start drift detection; answers its ID. CloudFormation runs one at a time."""
        ...

    def detection(self, detection_id: str) -> Detection: ...

    def drifts(self, stack: str) -> Sequence[ResourceDrift]:
        """Resources that the last detection reported as MODIFIED or DELETED."""
        ...

    def protect(self, stack: str, on: bool) -> None:
        """Switch CloudFormation's own termination protection."""
        ...

    def delete(self, stack: str, token: str, *, role_arn: str) -> None:
        """Start the deletion; nothing happens when the stack is gone."""
        ...
