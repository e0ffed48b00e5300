"""The bench of the console: the median of the paints decides."""

from __future__ import annotations

import pytest

from bench import console
from bench.console import Load


@pytest.mark.parametrize(("middle_ms", "holds"), [(1_000.0, True), (1_000.1, False)])
def test_the_median_of_the_first_paints_decides(middle_ms: float, holds: bool) -> None:
    loads = {"environments": [Load(paint_ms, 2_000.0) for paint_ms in (10.0, middle_ms, 9_000.0)]}
    report = console.report(loads, 77_000)
    assert [bound.holds for bound in report.bounds] == [holds]
    assert "slowest 9000" in report.lines[0]


def test_without_a_browser_it_says_that_it_did_not_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert console.main([]) == 0
    assert "NOT RUN: there is no Chromium" in capsys.readouterr().out
