"""Evidence of the steps that roll the control plane itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class PlanUpgradeEvidence:
    """What is rolled, and what there was before.

    manifest: key of the release's manifest. release, version, table_format: of the release; `…_before`: of what serves
    now. publication: part of the logical ids of the versions that this upgrade publishes. template, staged,
    template_before: keys of the three templates in the bucket: the release's with its versions, that of the candidate
    beside the live versions, and the one before. parameters, parameters_before: of the stack. changes: one line for
    each resource that the candidate changes.
    """

    PHASE: ClassVar[str] = "plan_upgrade"

    manifest: str = ""
    release: str = ""
    version: str = ""
    table_format: int = 1
    publication: str = ""
    release_before: str = ""
    version_before: str = ""
    table_format_before: int = 1
    template: str = ""
    staged: str = ""
    template_before: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)
    parameters_before: Mapping[str, str] = field(default_factory=dict)
    changes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StageUpgradeEvidence:
    """functions: how many have a candidate version with the release's code."""

    PHASE: ClassVar[str] = "stage_upgrade"

    stack_status: str = ""
    functions: int = 0


@dataclass(frozen=True, slots=True)
class TestUpgradeEvidence:
    """passed: functions whose candidate version answered its self-test, by logical id."""

    __test__: ClassVar[bool] = False  # pytest would collect a class of this name
    PHASE: ClassVar[str] = "test_upgrade"

    passed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PromoteUpgradeEvidence:
    """migrated_back: items that were given the shape of an older table format before an older release got the table."""

    PHASE: ClassVar[str] = "promote_upgrade"

    stack_status: str = ""
    migrated_back: int = 0


@dataclass(frozen=True, slots=True)
class VerifyUpgradeEvidence:
    """migrated: items that were given the shape of the release's table format. retired: versions deleted because no
    execution can run them any more."""

    PHASE: ClassVar[str] = "verify_upgrade"

    api: str = ""
    execution: str = ""
    migrated: int = 0
    retired: int = 0


@dataclass(frozen=True, slots=True)
class RevertUpgradeEvidence:
    """reverted: whether the stack was changed back. kept: whether the new release stays, because it had passed."""

    PHASE: ClassVar[str] = "revert_upgrade"

    stack_status: str = ""
    reverted: bool = False
    kept: bool = False
