"""Evidence of make_plan and await_approval: what a deployment would do, and until when a person may agree to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal


@dataclass(frozen=True, slots=True)
class PlanLine:
    """One phase of a plan.

    would: `skip`, `run`, or `depends` (on what an earlier phase changes). details: facts by name; each is a string, a
    list of strings or an object of strings.
    """

    phase: str = ""
    would: str = ""
    details: Mapping[str, object] = field(default_factory=dict)


Effect = Literal["users", "candidate", "none"]
USERS: Effect = "users"


@dataclass(frozen=True, slots=True)
class SettingChange:
    """One field of the configuration, as `throttle.burst`, with its value before and after; None for unset.

    effect: `users` get it with the shift, `candidate` alone is checked with it, or `none` of both.
    """

    field: str = ""
    before: object = None
    after: object = None
    effect: Effect = "none"


@dataclass(frozen=True, slots=True)
class PlanEvidence:
    """plan: a line for each phase that acts or checks, in their order. text: the same for people. settings: a line for
    each field of the configuration that would change.

    digest: SHA-256 (hex), equal exactly when the plans are; `options.expected_plan` takes it.
    """

    PHASE: ClassVar[str] = "make_plan"

    plan: tuple[PlanLine, ...] = ()
    text: str = ""
    digest: str = ""
    settings: tuple[SettingChange, ...] = ()


@dataclass(frozen=True, slots=True)
class ApprovalEvidence:
    """until: when the wait for an approval ends, ISO 8601."""

    PHASE: ClassVar[str] = "await_approval"

    until: str = ""


@dataclass(frozen=True, slots=True)
class SkipEvidence:
    """skipped: phases and steps that had nothing to do, in the order of the state machine. next: the first that may
    have something to do."""

    PHASE: ClassVar[str] = "skip_unchanged"

    skipped: tuple[str, ...] = ()
    next: str = ""
