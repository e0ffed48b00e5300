"""Prices of tokens for the dashboard's cost graph: OpenAI's list prices of mid-2025, in USD for a million tokens.

Prices change and contracts differ, so the graph is an estimate. A model without a price has no line in it.
"""

from __future__ import annotations

from collections.abc import Mapping

PRICES: Mapping[str, tuple[float, float]] = {
    "gpt-4o": (2.50, 10.00),
    "gpt-4o-mini": (0.15, 0.60),
    "gpt-4.1": (2.00, 8.00),
    "gpt-4.1-mini": (0.40, 1.60),
    "gpt-4.1-nano": (0.10, 0.40),
    "gpt-5": (1.25, 10.00),
    "gpt-5-mini": (0.25, 2.00),
    "gpt-5-nano": (0.05, 0.40),
    "o3": (2.00, 8.00),
    "o4-mini": (1.10, 4.40),
    "text-embedding-3-small": (0.02, 0.0),
    "text-embedding-3-large": (0.13, 0.0),
}


def of(targets: Mapping[str, str]) -> dict[str, tuple[float, float]]:
    """Prices (in, out) by alias. targets: upstream model by alias; one without a price is left out.

    A dated model (`gpt-4o-2024-08-06`) has its family's price.
    """
    families = {alias: _family(target) for alias, target in targets.items()}
    return {alias: PRICES[family] for alias, family in families.items() if family}


def _family(target: str) -> str:
    return max((name for name in PRICES if target == name or target.startswith(f"{name}-2")), key=len, default="")
