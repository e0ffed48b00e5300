"""Figures of SLOs with their units. Pure."""

from __future__ import annotations

from collections.abc import Mapping

_UNITS: Mapping[str, str] = {"usd_per_million": "USD", "rps": "/s"}
_SHARES = frozenset({"error_rate", "slowdown", "cold_start_relative", "cost_relative"})


def amount(slo: str, value: float | None) -> str:
    """`p99_ms`, 12.5 is `12.5 ms`; `?` for a value that is not known."""
    if value is None:
        return "?"
    if slo in _SHARES:
        return f"{value * 100:.3g} %"
    return f"{value:,.4g} {'ms' if slo.endswith('_ms') else _UNITS.get(slo, '')}".rstrip()
