"""Evidence of deploy_stack, and of restore_settings, which changes the same stack."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class StackEvidence:
    """The environment's CloudFormation stack after the change.

    outputs: the stack's outputs by name. api_url: the stage's URL; base_url: what an OpenAI SDK takes.
    changes: `Action LogicalId (Type)` for each change; resources: last status by logical id of what changed.
    removed_change_sets: names of change sets that a crash had left. found: the stack's status that had to be settled
    first.
    """

    PHASE: ClassVar[str] = "deploy_stack"

    stack_id: str = ""
    status: str = ""
    updated_at: str = ""
    outputs: Mapping[str, str] = field(default_factory=dict)
    api_url: str = ""
    base_url: str = ""
    changes: tuple[str, ...] = ()
    resources: Mapping[str, str] = field(default_factory=dict)
    protected: bool = False
    removed_change_sets: tuple[str, ...] | None = None
    found: str | None = None


@dataclass(frozen=True, slots=True)
class RestoreEvidence:
    """Settings beside the function version that went back to those of a release.

    restored: (value before, value of the release) by stack parameter; alarms: how many were redefined, None when the
    release's settings are not on record. stays: the same as `restored` for parameters that only a deploy changes.
    changes, resources: of the stack update while it runs.
    """

    PHASE: ClassVar[str] = "restore_settings"

    restored: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    alarms: int | None = None
    stays: Mapping[str, tuple[str, str]] | None = None
    changes: tuple[str, ...] | None = None
    resources: Mapping[str, str] | None = None
