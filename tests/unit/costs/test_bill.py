"""Lines of a bill: units, free units, sums."""

from __future__ import annotations

import pytest
from chalicelib.costs.bill import Basis, line, merged, text, total
from chalicelib.costs.prices import Price

DASHBOARD, CALL = Price("dashboards", 3.0, free=3), Price("calls", 0.5)


@pytest.mark.parametrize(("amount", "usd"), [(2, 0.0), (3, 0.0), (4, 3.0)])
def test_the_first_units_of_some_prices_cost_nothing(amount: float, usd: float) -> None:
    assert line("a", amount, DASHBOARD).usd == usd


def test_equal_lines_are_added_up_and_empty_ones_left_out() -> None:
    lines = [line("a", 1, CALL), line("b", 0, CALL), line("a", 2, CALL), line("a", 2, CALL, Basis.MEASURED)]
    assert [(each.what, each.amount, each.usd, each.basis) for each in merged(lines)] == [
        ("a", 3, 1.5, Basis.ESTIMATED),
        ("a", 2, 1.0, Basis.MEASURED),
    ]
    assert total(merged(lines)) == total(lines) == 2.5


def test_a_printed_line_says_units_price_and_how_they_are_known() -> None:
    (printed,) = text([line("boards", 4, DASHBOARD, Basis.DERIVED)])
    assert all(word in printed for word in ("boards", "dashboards, the first 3 are free", "$3.0000", "derived"))
