"""The comparisons of candidate and live as inline SVG: odds with their shrinking band, and the moment of decision."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from math import log2

from chalicelib.checks.comparison.comparison_words import phrase
from chalicelib.domain.codec import decode_lenient
from chalicelib.domain.evidence.comparison import Compared, Point
from chalicelib.domain.evidence.load import LoadEvidence
from chalicelib.domain.evidence.release import ShiftEvidence
from chalicelib.domain.model import PhaseRecord

_WIDTH, _HEIGHT, _LEFT, _BOTTOM = 760, 150, 60, 22
_OCTAVES = 7  # the band's widest ends: odds of 128 either way


def comparisons(phases: Sequence[PhaseRecord]) -> str:
    """A plot and a sentence for each comparison of the latest phase that compared; "" when none did."""
    results = _latest(phases)
    return "".join(f"<h3>{escape(each.metric)}</h3><p>{escape(phrase(each))}</p>{sequence(each)}" for each in results)


def _latest(phases: Sequence[PhaseRecord]) -> tuple[Compared, ...]:
    evidence = {phase.name: phase.evidence for phase in phases}
    shift = decode_lenient(ShiftEvidence, dict(evidence.get(ShiftEvidence.PHASE, {})))
    load = decode_lenient(LoadEvidence, dict(evidence.get(LoadEvidence.PHASE, {})))
    return shift.comparisons or load.comparisons


def sequence(comparison: Compared) -> str:
    """The odds ratio after each window, its 95 % band, the line of equality, and where the test decided."""
    points = comparison.worse.points
    if not points:
        return ""
    most = points[-1].samples or 1
    upper = [f"{_x(point, most):.1f},{_y(point.high, 1):.1f}" for point in points]
    lower = [f"{_x(point, most):.1f},{_y(point.low, -1):.1f}" for point in reversed(points)]
    middle = " ".join(f"{_x(point, most):.1f},{_y(point.odds, 1):.1f}" for point in points)
    return (
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escape(comparison.metric)}: odds by requests">'
        f'<polygon points="{" ".join(upper + lower)}" style="fill:var(--bar);opacity:.18"/>{_grid(most)}'
        f'<polyline points="{middle}" style="fill:none;stroke:var(--bar);stroke-width:2"/>'
        f"{_decision(comparison.worse.decided_after, most)}</svg>"
    )


def _grid(most: int) -> str:
    rows = "".join(
        f'<line x1="{_LEFT}" x2="{_WIDTH}" y1="{_y(odds, 1):.1f}" y2="{_y(odds, 1):.1f}" style="stroke:var(--line)"/>'
        f'<text class="dim" x="0" y="{_y(odds, 1) + 4:.1f}">{label}</text>'
        for odds, label in ((16.0, "16 times"), (1.0, "equal"), (1 / 16, "1/16"))
    )
    return rows + f'<text class="dim" x="{_LEFT}" y="{_HEIGHT - 4}">after up to {most:,} requests of both sides</text>'


def _decision(decided_after: int | None, most: int) -> str:
    if decided_after is None:
        return ""
    x = _LEFT + (_WIDTH - _LEFT) * min(1.0, decided_after / most)
    return (
        f'<line x1="{x:.1f}" x2="{x:.1f}" y1="0" y2="{_HEIGHT - _BOTTOM}" style="stroke:var(--bad);stroke-width:2"/>'
        f'<text x="{x - 6:.1f}" y="12" text-anchor="end">decided after {decided_after:,} requests</text>'
    )


def _x(point: Point, most: int) -> float:
    return _LEFT + (_WIDTH - _LEFT) * point.samples / most


def _y(odds: float | None, open_end: int) -> float:
    """odds: None at an open end of the band; open_end: 1 for the upper, -1 for the lower one."""
    octaves = open_end * _OCTAVES if odds is None else max(-_OCTAVES, min(_OCTAVES, log2(odds)))
    return (_HEIGHT - _BOTTOM) * (1 - octaves / _OCTAVES) / 2
