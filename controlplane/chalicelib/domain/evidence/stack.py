"""Evidence of deploy_stack, and of apply_settings and restore_settings, which change the same stack."""

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
    first. repaired: a line for each resource that was deleted or changed underneath. role_policy: digest of the policy
    of the proxy's role after the change. address_before: base_url that users had, where this change gave them another.
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
    repaired: tuple[str, ...] | None = None
    role_policy: str = ""
    address_before: str | None = None

    @property
    def role(self) -> str:
        """The name of the proxy's role; "" where it is not on record."""
        return self.outputs.get("RoleArn", "").rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class SettingsEvidence:
    """What users feel beside the function version, as apply_settings left it.

    changed: (value before, value now) by stack parameter, `Snapshot` for the API deployment, `protected` for deletion
    protection. alarms: names of those that got other thresholds. bundle, snapshot, parameters: as `Release` has them.
    changes, resources: of the stack update while it runs. repaired: see StackEvidence. domain: whether the users'
    domain answers afterwards, None without one.
    """

    PHASE: ClassVar[str] = "apply_settings"

    changed: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    alarms: tuple[str, ...] = ()
    bundle: str = ""
    snapshot: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)
    changes: tuple[str, ...] | None = None
    resources: Mapping[str, str] | None = None
    repaired: tuple[str, ...] | None = None
    domain: str | None = None


@dataclass(frozen=True, slots=True)
class RestoreEvidence:
    """Settings beside the function version that went back to those of a release.

    restored: (value before, value of the release) by stack parameter, `Snapshot` for the API deployment, `protected`
    for deletion protection. alarms: how many were redefined, None when the release's settings are not on record.
    stays: the same as `restored`, in records of earlier versions, for parameters that only a deploy changed.
    changes, resources: of the stack update while it runs. repaired: see StackEvidence.
    """

    PHASE: ClassVar[str] = "restore_settings"

    restored: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    alarms: int | None = None
    stays: Mapping[str, tuple[str, str]] | None = None
    changes: tuple[str, ...] | None = None
    resources: Mapping[str, str] | None = None
    repaired: tuple[str, ...] | None = None
