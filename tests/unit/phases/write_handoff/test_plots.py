"""Bars are as long as what they show, within the page."""

from __future__ import annotations

import re

import pytest
from chalicelib.domain.model import PhaseRecord, PhaseStatus
from chalicelib.phases.write_handoff import plots


def phase(name: str, began: str, ended: str | None, status: PhaseStatus = PhaseStatus.SUCCEEDED) -> PhaseRecord:
    at = [f"2026-01-02T00:00:{second}+00:00" if second else None for second in (began, ended)]
    return PhaseRecord(1, name, status, at[0], at[1])


def bars(svg: str) -> list[tuple[float, float]]:
    """Start and width of each bar."""
    return [(float(x), float(width)) for x, width in re.findall(r'<rect x="([\d.]+)" y="\d+" width="([\d.]+)"', svg)]


def test_a_phase_starts_where_it_began_and_is_as_long_as_it_took() -> None:
    svg = plots.timeline([phase("second", "05", "10"), phase("first", "00", "05", PhaseStatus.FAILED)])
    assert bars(svg) == [(170.0, 250.0), (420.0, 250.0)]
    assert svg.index("first") < svg.index("second")
    assert svg.count("5.0 s") == 2
    assert svg.count("var(--bad)") == 1


def test_a_running_phase_has_no_bar() -> None:
    assert plots.timeline([phase("first", "00", None)]) == "<p>No phase has ended.</p>"


def test_a_phase_that_took_no_time_is_still_visible() -> None:
    assert bars(plots.timeline([phase("first", "00", "00")])) == [(170.0, 2.0)]


def load_test(evidence: dict[str, object]) -> PhaseRecord:
    return PhaseRecord(9, "load_test", PhaseStatus.SUCCEEDED, evidence=evidence)


def test_percentiles_of_the_whole_and_of_its_parts_are_drawn() -> None:
    evidence = {"response_ms": {"p50": 3.0, "p99": 12.0, "max": 99.0}, "split_ms": {"proxy": {"p50": 6}}}
    svg = plots.latency([load_test(evidence)])
    assert bars(svg) == [(170.0, 125.0), (170.0, 500.0), (170.0, 250.0)]
    assert re.findall(r">([^<]*, p\d+)<", svg) == ["due to last byte, p50", "due to last byte, p99", "proxy, p50"]


@pytest.mark.parametrize("phases", [[], [load_test({})], [load_test({"response_ms": {"max": 1.0}})]])
def test_without_a_load_test_there_is_no_plot(phases: list[PhaseRecord]) -> None:
    assert plots.latency(phases) == ""
