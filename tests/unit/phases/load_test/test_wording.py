"""Verdicts in words."""

from __future__ import annotations

import pytest
from chalicelib.phases.load_test.slo import SloResult, SloVerdict
from chalicelib.phases.load_test.wording import kinds, phrase, phrases

P99 = SloResult("p99_ms", SloVerdict.PASSED, 2_000.0, 64.64, (46.72, None))
PASSED, FAILED, INCONCLUSIVE = SloVerdict


@pytest.mark.parametrize(
    ("result", "text"),
    [
        (P99, "p99 65 ms (at least 47 with 95 % confidence), limit 2,000 ms: pass"),
        (
            SloResult("p99_ms", FAILED, 100, 451.2, (389.6, 520.1), "beyond the bound with confidence"),
            "p99 451 ms (390 to 520 with 95 % confidence), limit 100 ms: fail",
        ),
        (
            SloResult("p99_ms", INCONCLUSIVE, 100, None, None, "50 samples; p99 needs 100"),
            "p99 not measured, limit 100 ms: inconclusive (50 samples; p99 needs 100)",
        ),
        (
            SloResult("error_rate", PASSED, 0.01, 0.0025, (0.0, 0.0123)),
            "error rate 0.25 % (0 to 1.2 with 95 % confidence), limit 1 %: pass",
        ),
        (SloResult("rps", FAILED, 200, 199.4), "199 good answers a second, minimum 200: fail"),
        (
            SloResult("cold_start_ms", PASSED, 5_000, 210.5, (180.0, 210.5)),
            "slowest cold start 210 ms, limit 5,000 ms: pass",
        ),
        (
            SloResult("slowdown", FAILED, 0.2, 0.231, (0.182, 0.279)),
            "median slower by 23 % (18 to 28 with 95 % confidence) than in the last good run, limit 20 %: fail",
        ),
    ],
)
def test_a_verdict_names_figure_confidence_limit_and_result(result: SloResult, text: str) -> None:
    assert phrase(result) == text


def test_several_verdicts_are_separated_by_semicolons() -> None:
    assert phrases([P99, P99]) == f"{phrase(P99)}; {phrase(P99)}"


@pytest.mark.parametrize(
    ("errors", "text"),
    [
        ({}, ""),
        ({"timeout": 0}, ""),
        ({"http_500": 2, "timeout": 1_190}, "1,190 timeout, 2 http_500"),
        ({"a": 1, "b": 1, "c": 1, "d": 2}, "2 d, 1 a, 1 b"),
    ],
)
def test_the_most_frequent_kinds_of_failures_come_first(errors: dict[str, int], text: str) -> None:
    assert kinds(errors) == text
