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


def between(slo: str, interval: tuple[float, float | None] | None) -> str:
    """`(10, 12.5)` of `p99_ms` is `10 ms to 12.5 ms`; `at least 10 ms` without an upper end, as with few samples."""
    if interval is None:
        return "–"
    low, high = interval
    return f"at least {amount(slo, low)}" if high is None else f"{amount(slo, low)} to {amount(slo, high)}"
