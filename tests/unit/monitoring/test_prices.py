"""Facts about the prices of the dashboard's cost graph."""

from __future__ import annotations

from chalicelib.monitoring import prices


def test_a_dated_model_has_its_familys_price_and_an_unknown_model_has_none() -> None:
    targets = {"fast": "gpt-4o-mini-2024-07-18", "own": "llama", "exact": "gpt-4o", "audio": "gpt-4o-audio"}
    assert prices.of(targets) == {"fast": (0.15, 0.60), "exact": (2.50, 10.00)}
