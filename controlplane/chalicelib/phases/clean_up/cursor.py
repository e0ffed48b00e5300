"""Progress of a removal, stored between two calls."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True)
class RemovalCursor:
    """step: `deleting` while CloudFormation deletes the stack, `verifying` once everything is deleted.

    stack_id: the stack's ARN; attempts: deletions of the stack so far. counts: resources at the beginning, by kind.
    secret: what happened to the secret. verify_from_s: seconds from the phase's first call to the first search for what
    is left.
    """

    step: Literal["", "deleting", "verifying"] = ""
    stack_id: str = ""
    attempts: int = 0
    counts: Mapping[str, int] = field(default_factory=dict)
    secret: str = ""
    verify_from_s: float = 0.0
