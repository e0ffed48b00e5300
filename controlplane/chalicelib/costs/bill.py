"""A bill: lines of units and USD, each with how its units are known."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from .prices import Price

_DIGITS = 6  # of a millionth of a dollar


class Basis(StrEnum):
    """How the units of a line are known. MEASURED: counted by the calls themselves, or by AWS's answers. DERIVED:
    computed from what is on record, by AWS's rules. ESTIMATED: from a typical figure."""

    MEASURED = "measured"
    DERIVED = "derived"
    ESTIMATED = "estimated"


@dataclass(frozen=True, slots=True)
class Line:
    """`amount` units for `usd`. free: units of the amount that cost nothing, as if nothing else used them."""

    what: str
    amount: float
    unit: str
    usd: float
    basis: Basis
    free: float = 0.0


class Recorded(StrEnum):
    """Whether the units of a rollout are on record. PARTLY: some calls died before they could record theirs, or were
    calls of an earlier version of the control plane. UNPRICED: in a partition whose prices the table does not have."""

    RECORDED = "recorded"
    PARTLY = "partly recorded"
    NOT = "not recorded"
    UNPRICED = "NOT PRICED"


@dataclass(frozen=True, slots=True)
class Bill:
    """USD at list price. usd: None where nothing is on record. region: whose prices; prices_of: their month.

    by_phase: USD of the measured units by phase or step. remarks: what to know of the figures.
    """

    recorded: Recorded = Recorded.NOT
    usd: float | None = None
    region: str = ""
    prices_of: str = ""
    lines: tuple[Line, ...] = ()
    by_phase: Mapping[str, float] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()


def line(what: str, amount: float, price: Price, basis: Basis = Basis.ESTIMATED) -> Line:
    """`amount` units at a price. Free units are subtracted as if nothing else in the account used them."""
    usd = max(0.0, amount - price.free) * price.usd
    return Line(what, round(amount, _DIGITS), price.unit, round(usd, _DIGITS + 3), basis, price.free)


def repeated(each: Line, times: float, what: str) -> Line:
    """The line so many times, under another name."""
    amount, usd = round(each.amount * times, _DIGITS), round(each.usd * times, _DIGITS + 3)
    return Line(what, amount, each.unit, usd, each.basis, each.free)


def total(lines: Iterable[Line]) -> float:
    """USD of all lines."""
    return round(sum(each.usd for each in lines), _DIGITS)


def merged(lines: Iterable[Line]) -> tuple[Line, ...]:
    """Lines of the same name, unit and basis added up, without those of no units; in the order of their first."""
    sums: dict[tuple[str, str, Basis], Line] = {}
    for each in lines:
        key = (each.what, each.unit, each.basis)
        before = sums.get(key)
        sums[key] = each if before is None else _added(before, each)
    return tuple(each for each in sums.values() if each.amount)


def _added(before: Line, more: Line) -> Line:
    amount, usd = round(before.amount + more.amount, _DIGITS), round(before.usd + more.usd, _DIGITS + 3)
    return Line(before.what, amount, before.unit, usd, before.basis, before.free)


def text(lines: Sequence[Line]) -> list[str]:
    """For a terminal, a line each."""
    return [_text(each) for each in lines]


def _text(each: Line) -> str:
    free = f", the first {each.free:,.0f} are free" if each.free else ""
    return f"{each.what:<46} {each.amount:>12,.4g} {each.unit + free:<48} ${each.usd:.4f} {each.basis}"
