"""What load_test notes between two calls."""

from __future__ import annotations

from dataclasses import dataclass

from chalicelib.domain.evidence.load import SizeRow
from chalicelib.domain.options import Load
from chalicelib.load.plans import Beside


@dataclass(frozen=True, slots=True)
class ColdStarts:
    """durations_ms: init duration of each cold start; sources: `REPORT` or `proxy`, see `report_lines.Report`.

    max_memory_mb: None where the platform does not report it.
    """

    durations_ms: tuple[float, ...] = ()
    sources: tuple[str, ...] = ()
    max_memory_mb: int | None = None


@dataclass(frozen=True, slots=True)
class LoadCursor:
    """load: the requested load, or the default one scaled down to what fits; None before the first call.

    slices_done: how many slices were driven; cold_starts: None until they were forced; sizes: measured so far.
    scaled_down: see LoadEvidence. beside: how live is driven, None for not at all; compared_with: what the candidate
    is compared with, or why not.
    """

    load: Load | None = None
    slices_done: int = 0
    estimated_usd: float | None = None
    cold_starts: ColdStarts | None = None
    sizes: tuple[SizeRow, ...] = ()
    scaled_down: str = ""
    beside: Beside | None = None
    compared_with: str = ""
