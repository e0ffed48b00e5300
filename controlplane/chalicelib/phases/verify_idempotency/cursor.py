"""What the proof notes between two calls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Step = Literal["replan", "change", "restore", "confirm", "back", "forward", "end"]


@dataclass(frozen=True, slots=True)
class IdempotencyCursor:
    """step: what comes next. planned, asks_again: see IdempotencyEvidence.

    level: the released value of the variable that is changed; changed_level: its other value. code_sha256,
    stack_updated_at: of function and stack before the change, as AWS writes them. earlier: the version that the
    candidate goes back to, "" for none; overtaken: whether it stood elsewhere at the last look. done_by: the
    deployment that changed the setting and moved the candidate of this release before, "" for none; back_and_forward:
    what it noted.
    """

    step: Step = "replan"
    planned: tuple[str, ...] = ()
    asks_again: tuple[str, ...] = ()
    level: str = ""
    changed_level: str = ""
    code_sha256: str = ""
    stack_updated_at: str = ""
    earlier: str = ""
    overtaken: bool = False
    done_by: str = ""
    back_and_forward: str = ""
