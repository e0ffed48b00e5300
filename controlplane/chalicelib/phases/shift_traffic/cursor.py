"""What shift_traffic notes between two steps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from chalicelib.domain.evidence.comparison import Compared
from chalicelib.domain.evidence.release import Judgement


@dataclass(frozen=True, slots=True)
class ShiftCursor:
    """from_version: the version that served users before the shift; None before the first step.

    steps_taken: how many weights were set; since: when the first was set, ISO 8601 in UTC.
    comparisons: candidate and live so far, continued from the load test. weights, live_times: see ShiftEvidence.
    read_until_ms: how far the log was read (Unix time), 0 before the first look.
    """

    from_version: str | None = None
    steps_taken: int = 0
    since: str = ""
    judgements: tuple[Judgement, ...] = ()
    comparisons: tuple[Compared, ...] = ()
    weights: tuple[tuple[str, int], ...] = ()
    read_until_ms: int = 0
    live_times: Mapping[str, str] = field(default_factory=dict)
