"""Verdicts on SLOs as phrases for people: `p99 65 ms (at least 47 with 95 % confidence), limit 2,000 ms: pass`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from .slo import SloResult, SloVerdict

_VERDICTS = {SloVerdict.PASSED: "pass", SloVerdict.FAILED: "fail", SloVerdict.INCONCLUSIVE: "inconclusive"}
_MOST_KINDS = 3  # of failures; the evidence has all


def phrases(results: Sequence[SloResult]) -> str:
    """All results, separated by semicolons."""
    return "; ".join(phrase(result) for result in results)


def phrase(result: SloResult) -> str:
    """One result: its figure, how certain that is, the limit, the verdict, and what would have changed it."""
    why = result.why if result.verdict is SloVerdict.INCONCLUSIVE else ""
    samples = "" if result.samples is None or result.figure is None else f"{result.samples:,} samples"
    reasons = "; ".join(filter(None, [why, samples, result.more]))
    return f"{_PHRASES[result.slo](result)}: {_VERDICTS[result.verdict]}" + (reasons and f" ({reasons})")


def kinds(errors: Mapping[str, int]) -> str:
    """The most frequent kinds of failure: `90 timeout, 2 http_500`; "" without failures. errors: counts by kind."""
    frequent = sorted(errors.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{count:,} {kind}" for kind, count in frequent[:_MOST_KINDS] if count)


def _p99(result: SloResult, what: str = "p99") -> str:
    return f"{what} {_ms(result.figure)}{_certainty(result)}, limit {_ms(result.bound)}"


def _cost(result: SloResult) -> str:
    return f"${result.figure or 0:.2f} per million requests without tokens, limit ${result.bound:.2f}"


def _relative(result: SloResult, what: str) -> str:
    return f"{what} {_share(result.figure)} higher than in the last good run, limit {_share(result.bound)}"


def _error_rate(result: SloResult) -> str:
    return f"error rate {_share(result.figure)}{_certainty(result, 100)}, limit {_share(result.bound)}"


def _rps(result: SloResult) -> str:
    return f"{_number(result.figure or 0)} good answers a second, minimum {_number(result.bound)}"


def _cold_start(result: SloResult) -> str:
    return f"slowest cold start {_ms(result.figure)}, limit {_ms(result.bound)}"


def _slowdown(result: SloResult) -> str:
    limit = f"limit {_share(result.bound)}"
    if result.figure is None:
        return f"median against the last good run not measured, {limit}"
    figure = f"{_share(result.figure)}{_certainty(result, 100)}"
    return f"median slower by {figure} than in the last good run, {limit}"


_PHRASES: Mapping[str, Callable[[SloResult], str]] = {
    "p99_ms": _p99,
    "first_byte_p99_ms": partial(_p99, what="p99 of the first byte"),
    "overhead_p99_ms": partial(_p99, what="p99 of the overhead"),
    "usd_per_million": _cost,
    "cold_start_relative": partial(_relative, what="slowest cold start"),
    "cost_relative": partial(_relative, what="cost"),
    "error_rate": _error_rate,
    "rps": _rps,
    "cold_start_ms": _cold_start,
    "slowdown": _slowdown,
}


def _number(value: float) -> str:
    """Two significant digits below 10, whole numbers above."""
    return f"{value:,.0f}" if abs(value) >= 10 else f"{value:.2g}"


def _ms(value: float | None) -> str:
    return "not measured" if value is None else f"{_number(value)} ms"


def _share(value: float | None) -> str:
    return "not measured" if value is None else f"{_number(value * 100)} %"


def _certainty(result: SloResult, scale: float = 1) -> str:
    """The confidence interval, its ends multiplied by `scale`."""
    if result.interval is None:
        return ""
    low, high = result.interval
    ends = f"at least {_number(low * scale)}"
    if high is not None:
        ends = f"{_number(low * scale)} to {_number(high * scale)}"
    return f" ({ends} with 95 % confidence)"
