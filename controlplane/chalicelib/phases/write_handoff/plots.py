"""Plots as inline SVG: a bar for each phase's duration, and for each percentile of the load test."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape

from chalicelib.domain.codec import decode_lenient
from chalicelib.domain.evidence.load import LoadEvidence, Percentiles
from chalicelib.domain.model import PhaseRecord

_WIDTH = 760
_ROW = 24
_LABEL = 170  # width of the column of names
_FIGURE = 90  # width left for the figure behind a bar
_COLOURS = {"FAILED": "--bad", "SKIPPED": "--skip"}


@dataclass(frozen=True, slots=True)
class Bar:
    """One row of a plot. start, length: in the plot's unit, from 0."""

    label: str
    start: float
    length: float
    figure: str
    colour: str = "--bar"


def timeline(phases: Sequence[PhaseRecord]) -> str:
    """A bar for each ended phase, from its start to its end."""
    bars = _spans(phases)
    return plot(bars, "Duration of each phase") if bars else "<p>No phase has ended.</p>"


def _spans(phases: Sequence[PhaseRecord]) -> list[Bar]:
    """In seconds since the first phase began, in order of time."""
    times = [
        (phase, _seconds(phase.started_at), _seconds(phase.ended_at))
        for phase in phases
        if phase.started_at and phase.ended_at
    ]
    zero = min((start for _, start, _ in times), default=0.0)
    return [
        Bar(phase.name, start - zero, end - start, f"{end - start:.1f} s", _COLOURS.get(phase.status.value, "--bar"))
        for phase, start, end in sorted(times, key=lambda span: span[1])
    ]


def _seconds(at: str | None) -> float:
    return datetime.fromisoformat(str(at)).timestamp()


def latency(phases: Sequence[PhaseRecord]) -> str:
    """The load test's percentiles, of whole answers and of their parts; "" when no load test ran."""
    evidence = next((phase.evidence for phase in phases if phase.name == LoadEvidence.PHASE), {})
    load = decode_lenient(LoadEvidence, evidence)
    parts = {"due to last byte": load.response_ms, **load.split_ms}
    bars = [bar for part, percentiles in parts.items() for bar in _percentiles(part, percentiles)]
    return plot(bars, "Latency percentiles") if bars else ""


def _percentiles(part: str, percentiles: Percentiles) -> list[Bar]:
    named = (("p50", percentiles.p50), ("p90", percentiles.p90), ("p99", percentiles.p99))
    return [Bar(f"{part}, {name}", 0, value, f"{value:.1f} ms") for name, value in named if value is not None]


def plot(bars: Sequence[Bar], label: str) -> str:
    """The bars below each other, the longest end at the right margin. label: for screen readers."""
    whole = max(bar.start + bar.length for bar in bars) or 1.0
    rows = "".join(_row(bar, number * _ROW, whole) for number, bar in enumerate(bars))
    height = len(bars) * _ROW + 4
    return f'<svg viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="{escape(label)}">{rows}</svg>'


def _row(bar: Bar, y: int, whole: float) -> str:
    room = _WIDTH - _LABEL - _FIGURE
    x, width = _LABEL + room * bar.start / whole, max(2.0, room * bar.length / whole)
    return (
        f'<text x="0" y="{y + 16}">{escape(bar.label)}</text>'
        f'<rect x="{x:.1f}" y="{y + 5}" width="{width:.1f}" height="14" rx="3" style="fill:var({bar.colour})"/>'
        f'<text class="dim" x="{x + width + 6:.1f}" y="{y + 16}">{escape(bar.figure)}</text>'
    )
