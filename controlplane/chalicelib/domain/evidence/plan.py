"""Evidence of make_plan and await_approval: what a deployment would do, and until when a person may agree to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class PlanLine:
    """One phase of a plan.

    would: `skip`, `run`, or `depends` (on what an earlier phase changes). details: facts by name; each is a string, a
    list of strings or an object of strings.
    """

    phase: str = ""
    would: str = ""
    details: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PlanEvidence:
    """plan: a line for each phase that acts or checks, in their order. text: the same for people.

    digest: SHA-256 (hex), equal exactly when the plans are; `options.expected_plan` takes it.
    """

    PHASE: ClassVar[str] = "make_plan"

    plan: tuple[PlanLine, ...] = ()
    text: str = ""
    digest: str = ""


@dataclass(frozen=True, slots=True)
class ApprovalEvidence:
    """until: when the wait for an approval ends, ISO 8601."""

    PHASE: ClassVar[str] = "await_approval"

    until: str = ""
