"""What would have changed a verdict on an SLO, in words. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, floor

from chalicelib.domain.words import counted
from chalicelib.load.histogram import Histogram, rank_of
from chalicelib.load.windows import above

_US_PER_MS = 1_000


def of_quantile(histogram: Histogram, share: float, bound_ms: float) -> str:
    """The quantile `share` passes while no more answers are above the bound than the quantile allows."""
    allowed = histogram.total - rank_of(share, histogram.total)
    return _hits(above(histogram, bound_ms * _US_PER_MS), allowed, "answer", " above the limit")


def of_failures(failed: int, total: int, bound: float) -> str:
    """A share of failures passes up to the bound."""
    allowed = floor(bound * total)
    # As the verdict compares: 0.29 * 100 is less than 29 in floating point, and 29 / 100 is 0.29.
    return _hits(failed, allowed + ((allowed + 1) / total <= bound), "failure")


def of_starts(starts_ms: Sequence[float], bound_ms: float) -> str:
    """Every cold start must be within the bound."""
    return _hits(sum(start > bound_ms for start in starts_ms), 0, "start", " above the limit")


def of_rate(good: int, duration_s: float, bound: float) -> str:
    """A rate passes from the bound on."""
    needed = ceil(bound * duration_s)
    # As the verdict compares: 16.6 * 15 is more than 249 in floating point, and 249 / 15 is 16.6.
    is_exact = bool(duration_s) and (needed - 1) / duration_s >= bound
    missing = needed - is_exact - good
    if missing > 0:
        return f"{counted(missing, 'more good answer')} would have let it pass"
    return f"{counted(1 - missing, 'fewer good answer')} would have stopped it"


def of_figure(figure: float, bound: float) -> str:
    """A figure without samples passes up to the bound."""
    passes = figure <= bound
    return "a figure above the limit would have stopped it" if passes else "one within the limit would have let it pass"


def _hits(hits: int, allowed: int, noun: str, which: str = "") -> str:
    if hits > allowed:
        return f"{counted(hits - allowed, f'fewer {noun}')}{which} would have let it pass"
    return f"{counted(allowed + 1 - hits, f'more {noun}')}{which} would have stopped it"
