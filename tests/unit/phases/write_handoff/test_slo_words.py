"""How figures of SLOs are written in the report."""

from __future__ import annotations

import pytest
from chalicelib.phases.write_handoff.slo_words import between


@pytest.mark.parametrize(
    ("slo", "interval", "text"),
    [
        ("p99_ms", (10.0, 12.5), "10 ms to 12.5 ms"),
        ("p99_ms", (36.22, None), "at least 36.22 ms"),
        ("error_rate", (0.0, 0.031), "0 % to 3.1 %"),
        ("p99_ms", None, "–"),
    ],
)
def test_an_interval_without_an_upper_end_says_at_least(
    slo: str, interval: tuple[float, float | None] | None, text: str
) -> None:
    assert between(slo, interval) == text
