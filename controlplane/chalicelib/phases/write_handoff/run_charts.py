"""The charts of a run: when each phase ran, how traffic moved, and how the comparisons with live came out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from math import log2

from chalicelib.domain.evidence.comparison import Compared
from chalicelib.domain.evidence.release import BakeEvidence, RollBackEvidence, ShiftEvidence
from chalicelib.domain.model import PhaseRecord

from . import charts
from .charts import Axis, Series
from .markup import NOTHING, Markup

_OCTAVES = 7  # the band's open ends: odds of 128 either way
_ODDS = (("128 times", 7.0), ("16 times", 4.0), ("4 times", 2.0), ("equal", 0.0), ("1/4", -2.0), ("1/16", -4.0))
_STATUSES = ("SUCCEEDED", "SKIPPED", "FAILED")


def timeline(phases: Sequence[PhaseRecord]) -> Markup:
    """A bar for each ended phase, from its start to its end, in seconds since the first began."""
    ended = sorted(
        (each for each in phases if each.started_at and each.ended_at), key=lambda each: each.started_at or ""
    )
    if not ended:
        return NOTHING
    zero = _at(ended[0].started_at)
    series = [Series("", "space", [_at(each.started_at) - zero for each in ended])]
    shortest = 0.004 * (max(_at(each.ended_at) for each in ended) - zero)  # a phase of no time is still visible
    for status in _STATUSES:
        lengths = [
            max(shortest, _at(each.ended_at) - _at(each.started_at)) if each.status.value == status else 0
            for each in ended
        ]
        if any(lengths):
            series.append(Series(status.lower(), f"status-{status.lower()}", lengths))
    return charts.spans("When each phase ran", [each.name for each in ended], Axis("seconds"), series)


def took(phase: PhaseRecord) -> str:
    """How long a phase took; "" while it runs."""
    return duration(phase.started_at, phase.ended_at) if phase.started_at and phase.ended_at else ""


def duration(start: str | None, end: str | None) -> str:
    """`4.2 s`, `3 min 20 s` or `2 h 5 min` between two times, ISO 8601."""
    seconds = max(0.0, _at(end) - _at(start))
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def traffic(phases: Sequence[PhaseRecord], shift: ShiftEvidence) -> Markup:
    """Users' share on the new version over time, from the first step through the bake or the way back."""
    steps = [(_at(at), percent) for at, percent in shift.weights]
    if not steps:
        return NOTHING
    ends = {each.name: each.ended_at for each in phases if each.ended_at}
    zero = steps[0][0]
    points: list[charts.Point] = [(0.0, 0.0)]
    for at, percent in steps:
        points += [(at - zero, points[-1][1]), (at - zero, float(percent))]
    back = ends.get(RollBackEvidence.PHASE)
    until = back or ends.get(BakeEvidence.PHASE) or ends.get(ShiftEvidence.PHASE)
    last = max(points[-1][0], _at(until) - zero) if until else points[-1][0]
    points.append((last, points[-1][1]))
    if back:
        points.append((last, 0.0))
    series = [Series("users on the new version", "area", points)]
    if verdicts := _verdicts(shift, zero):
        series.append(Series("judged", "verdict", verdicts, dots=True))
    return charts.lines("Users' share on the new version", Axis("seconds"), Axis("%", bounds=(0, 100)), series)


def _verdicts(shift: ShiftEvidence, zero: float) -> list[charts.Point]:
    return [(_at(each.at) - zero, float(each.percent)) for each in shift.judgements if each.at]


def sequence(comparison: Compared) -> Markup:
    """The candidate's odds after each window as a multiple of live's, their shrinking 95 % band, and the decision."""
    points = comparison.worse.points
    if not points:
        return NOTHING
    upper = [(float(point.samples), _octaves(point.high, 1)) for point in points]
    lower = [(float(point.samples), _octaves(point.low, -1)) for point in points]
    middle = [(float(point.samples), _octaves(point.odds, 1)) for point in points]
    ends = (0.0, float(max(point.samples for point in points)))
    series = [
        Series("95 % band", "band", [*upper, *reversed(lower), upper[0]]),
        Series("odds against live", "odds", middle),
        Series("equal", "equal", [(end, 0.0) for end in ends]),
    ]
    decided = comparison.worse.decided_after
    if decided is not None:
        height = max(3.0, *(value for _, value in upper))
        series.append(Series("decided: worse", "decision", [(float(decided), -height), (float(decided), height)]))
    y = Axis("", _ODDS, (-_OCTAVES, _OCTAVES))
    return charts.lines(f"{comparison.metric}: odds by requests", Axis("requests of both sides"), y, series)


def _octaves(odds: float | None, open_end: int) -> float:
    """odds: None at an open end of the band; open_end: 1 for the upper, -1 for the lower one."""
    return float(open_end * _OCTAVES) if odds is None else max(-_OCTAVES, min(_OCTAVES, log2(odds)))


def _at(at: str | None) -> float:
    return datetime.fromisoformat(str(at)).timestamp()
