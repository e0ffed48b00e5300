"""Progress of a stack change, stored between two calls of a phase."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True)
class StackCursor:
    """step: "" before the change set, `changing` while CloudFormation prepares it, `executing` after its execution.

    creates: whether the change set creates the stack. since, last: ids of the last event before the execution and of
    the last one that was read. resources: last status by logical id; changes: one line for each change.
    repaired: see StackEvidence. attempts: how often the stack was deleted or its rollback continued; attempted_in: the
    stack's status then.
    """

    step: Literal["", "changing", "executing"] = ""
    creates: bool = False
    stack_id: str = ""
    since: str = ""
    last: str = ""
    resources: Mapping[str, str] = field(default_factory=dict)
    changes: tuple[str, ...] = ()
    repaired: tuple[str, ...] | None = None
    attempts: int = 0
    attempted_in: str = ""
