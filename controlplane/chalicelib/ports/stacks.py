"""CloudFormation stacks, their change sets and events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from ..core.drift import ResourceDrift

__all__ = ["Change", "ChangeSet", "Detection", "ResourceDrift", "Stack", "StackEvent", "StackResource", "Stacks"]


@dataclass(frozen=True, slots=True)
class Stack:
    """A stack as it stands. `outputs` and `parameters` are plain maps; times are ISO 8601, UTC; `protected` stacks
    cannot be deleted."""

    name: str
    id: str
    status: str
    reason: str = ""
    outputs: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    created_at: str = ""
    updated_at: str = ""
    protected: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """One resource of a change set. replacement: True, False or Conditional, as CloudFormation says it ("" for Add
    and Remove); `because` names the properties that change."""

    logical_id: str
    resource_type: str
    action: str
    replacement: str = ""
    physical_id: str = ""
    because: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class ChangeSet:
    """status: CREATE_PENDING, CREATE_IN_PROGRESS, CREATE_COMPLETE or FAILED; execution: AVAILABLE, UNAVAILABLE, …"""

    id: str
    name: str
    status: str
    reason: str = ""
    execution: str = ""
    changes: Sequence[Change] = ()


@dataclass(frozen=True, slots=True)
class StackEvent:
    """One line of a stack's history."""

    id: str
    at: str
    logical_id: str
    resource_type: str
    status: str
    reason: str = ""
    physical_id: str = ""


@dataclass(frozen=True, slots=True)
class StackResource:
    """A resource that a stack owns."""

    logical_id: str
    physical_id: str
    resource_type: str
    status: str


@dataclass(frozen=True, slots=True)
class Detection:
    """A search for drift. status: DETECTION_IN_PROGRESS, DETECTION_COMPLETE, or DETECTION_FAILED (of some resources;
    what was found of the others still stands)."""

    status: str
    reason: str = ""


class Stacks(Protocol):
    """Stacks by name or ID; a stack that is gone can be asked for by its ID only."""

    def find(self, stack: str) -> Stack | None: ...

    def resources(self, stack: str) -> Sequence[StackResource]:
        """Raises NotFound."""
        ...

    def events(self, stack_id: str, *, after: str = "") -> Sequence[StackEvent]:
        """Oldest first; only those after the event with that ID, when it is given and known."""
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
    ) -> ChangeSet:
        """Ask for a change set; a template or parameter that is None stays as the stack has it. A set of that name that
        exists already is answered as it is."""
        ...

    def change_set(self, stack: str, name: str) -> ChangeSet:
        """Raises NotFound."""
        ...

    def change_sets(self, stack: str) -> Sequence[ChangeSet]:
        """Those not executed yet, without their changes; none for a stack that does not exist."""
        ...

    def delete_change_set(self, stack: str, name: str) -> None: ...

    def execute(self, stack: str, name: str, token: str) -> None:
        """Start it; the token marks the events that it causes."""
        ...

    def continue_rollback(self, stack: str, token: str) -> None: ...

    def detect_drift(self, stack: str) -> str:
        """Start the search; answers its id. CloudFormation runs one at a time."""
        ...

    def detection(self, detection_id: str) -> Detection: ...

    def drifts(self, stack: str) -> Sequence[ResourceDrift]:
        """What the last search found MODIFIED or DELETED."""
        ...

    def protect(self, stack: str, on: bool) -> None:
        """Switch CloudFormation's own termination protection."""
        ...

    def delete(self, stack: str, token: str) -> None:
        """Start the deletion; nothing happens when the stack is gone."""
        ...
