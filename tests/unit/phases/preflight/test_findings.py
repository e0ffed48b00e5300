"""Findings read as one sentence that quotes at most five."""

from __future__ import annotations

import pytest
from chalicelib.domain.evidence.preflight import Finding, Simulated
from chalicelib.phases.preflight import findings


def several(count: int) -> list[Finding]:
    return [Finding("check", f"m{number}", "remedy") for number in range(count)]


@pytest.mark.parametrize(
    ("count", "sentence"),
    [
        (1, "1 problem: m0"),
        (2, "2 problems: m0; m1"),
        (5, "5 problems: m0; m1; m2; m3; m4"),
        (6, "6 problems: m0; m1; m2; m3; m4; and 1 more"),
        (8, "8 problems: m0; m1; m2; m3; m4; and 3 more"),
    ],
)
def test_the_first_five_are_quoted_and_the_rest_counted(count: int, sentence: str) -> None:
    assert findings.problems(several(count)) == sentence


@pytest.mark.parametrize(
    ("count", "sentence"),
    [
        (0, "Preflight OK: 475 actions of 29 roles checked"),
        (1, "Preflight OK: 475 actions of 29 roles checked. 1 warning: m0"),
        (2, "Preflight OK: 475 actions of 29 roles checked. 2 warnings: m0; m1"),
    ],
)
def test_warnings_follow_what_was_checked(count: int, sentence: str) -> None:
    assert findings.passed(Simulated(29, 475), several(count)) == sentence


def test_only_what_blocks_stops() -> None:
    warning = Finding("check", "m", "remedy", blocks=False)
    assert findings.blocking([warning, *several(1)]) == several(1)


def test_what_the_text_of_a_policy_decided_is_counted() -> None:
    simulated = Simulated(30, 500, by_text=("api states:SendTaskFailure", "api states:SendTaskSuccess"))
    words = "Preflight OK: 500 actions of 30 roles checked, 2 of them by the text of their policy"
    assert findings.passed(simulated, []) == words
