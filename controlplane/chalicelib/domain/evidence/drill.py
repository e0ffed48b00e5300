"""Evidence of run_drill."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class PartResult:
    """One part of a drill. status: the final status of its deployment; verdict: PASSED or FAILED; why: the summary,
    after what went wrong."""

    part: str = ""
    deployment_id: str = ""
    status: str = ""
    verdict: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class DrillEvidence:
    """environment: the drill's own. parts: in the order in which they ran; not_run: parts that a failure left out."""

    PHASE: ClassVar[str] = "run_drill"

    environment: str = ""
    parts: tuple[PartResult, ...] = ()
    not_run: tuple[str, ...] = ()
