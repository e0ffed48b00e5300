"""Evidence of verify_idempotency."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class IdempotencyEvidence:
    """What proves that the same deployment, repeated, changes nothing.

    planned: phases that would be skipped; asks_again: phases whose evidence says NOT RUN of some check, so that the
    next deployment runs them once more. setting_changed_alone: the variable that was changed and restored.
    back_and_forward: which version the candidate went to, or `NOT RUN: …`. release: fingerprint of stack, version and
    code for which both were done. done_by: the earlier deployment of the same release that did them, None otherwise.
    """

    PHASE: ClassVar[str] = "verify_idempotency"

    planned: tuple[str, ...] = ()
    asks_again: tuple[str, ...] = ()
    setting_changed_alone: str = ""
    back_and_forward: str = ""
    release: str = ""
    done_by: str | None = None
