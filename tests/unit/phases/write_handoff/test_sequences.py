"""The report draws each comparison: odds, band, and the moment of decision."""

from __future__ import annotations

import re

from chalicelib.checks.comparison.side_by_side import after_windows
from chalicelib.domain.codec import encode
from chalicelib.domain.evidence.comparison import Compared, Split
from chalicelib.domain.evidence.load import LoadEvidence
from chalicelib.domain.evidence.release import ShiftEvidence
from chalicelib.domain.model import PhaseRecord, PhaseStatus
from chalicelib.phases.write_handoff import sequences
from chalicelib.phases.write_handoff.report import report_html

WORSE = after_windows(Compared(), [Split(50, 2, 50, 0)] * 10, 0)
EQUAL = after_windows(Compared(), [Split(50, 1, 50, 1)] * 10, 0)


def load_phase(comparison: Compared) -> PhaseRecord:
    evidence = encode(LoadEvidence(comparisons=(comparison,)))
    return PhaseRecord(9, "load_test", PhaseStatus.FAILED, evidence=evidence)


def test_a_decision_is_marked_where_it_fell() -> None:
    svg = sequences.sequence(WORSE)
    assert WORSE.worse.decided_after == 500
    assert "decided after 500 requests" in svg
    # Half of 1,000 requests: the middle of the plot.
    assert re.search(r'<line x1="410\.0" x2="410\.0" y1="0"', svg)
    assert "after up to 1,000 requests of both sides" in svg
    assert "decided" not in sequences.sequence(EQUAL)


def test_the_band_narrows_and_equality_lies_in_the_middle() -> None:
    svg = sequences.sequence(EQUAL)
    polygon = re.findall(r'<polygon points="([^"]*)"', svg)[0].split()
    heights = [float(point.split(",")[1]) for point in polygon]
    half = len(heights) // 2
    widths = [low - high for high, low in zip(heights[:half], reversed(heights[half:]), strict=True)]
    assert len(widths) == 10
    assert widths == sorted(widths, reverse=True)
    assert widths[0] == 128.0
    line = re.findall(r'<polyline points="([^"]*)"', svg)[0].split()
    assert {point.split(",")[1] for point in line} == {"64.0"}


def test_a_comparison_without_windows_has_no_plot() -> None:
    assert sequences.sequence(Compared()) == ""
    assert sequences.comparisons([]) == ""


def test_the_report_shows_the_latest_comparison_with_its_words() -> None:
    shifted = PhaseRecord(
        13, "shift_traffic", PhaseStatus.SUCCEEDED, evidence=encode(ShiftEvidence(comparisons=(EQUAL,)))
    )
    page = report_html("dev", "d-1", "2026-01-01T00:00:00Z", {}, [load_phase(WORSE), shifted])
    assert "Candidate and live, side by side" in page
    assert "decided after" not in page.partition("<h2>Phases")[0]
    assert "more failures of the candidate would have stopped it" in page
    only_tested = report_html("dev", "d-1", "2026-01-01T00:00:00Z", {}, [load_phase(WORSE)])
    assert "decided after 500 requests" in only_tested
    assert "side by side" not in report_html("dev", "d-1", "2026-01-01T00:00:00Z", {}, [])
