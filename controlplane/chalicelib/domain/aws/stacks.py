"""CloudFormation stacks, change sets, events and drift as values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


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
    """status: CREATE_PENDING, CREATE_IN_PROGRESS, CREATE_COMPLETE or FAILED; execution: AVAILABLE, UNAVAILABLE, …
    stack_id: of its stack. description: as it was created with; "" in a list."""

    id: str
    name: str
    status: str
    reason: str = ""
    execution: str = ""
    changes: Sequence[Change] = ()
    description: str = ""
    stack_id: str = ""


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


@dataclass(frozen=True, slots=True)
class ResourceDrift:
    """One resource of a stack. status: IN_SYNC, MODIFIED, DELETED, …; differences: (path, expected, found)."""

    logical_id: str
    resource_type: str
    status: str
    differences: Sequence[tuple[str, str, str]] = ()
