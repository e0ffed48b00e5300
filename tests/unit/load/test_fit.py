"""The default load fits any account that can run a release at all; a chosen load is never changed."""

from __future__ import annotations

from dataclasses import replace

import pytest
from chalicelib.domain.options import Load
from chalicelib.load import fit
from hypothesis import given
from hypothesis import strategies as st


@given(st.integers(4, 1_000), st.integers(0, 10))
def test_the_default_load_fits_every_account_with_four_executions_or_more(unreserved: int, cold_starts: int) -> None:
    load = Load(cold_starts=cold_starts)
    fitted = fit.fitted(load, unreserved)
    assert fit.needed(fitted) <= unreserved
    assert fitted.rps <= load.rps
    assert load.rps * load.duration_s <= fitted.rps * fitted.duration_s < load.rps * load.duration_s + fitted.rps + 0.01
    assert fitted.cold_starts == cold_starts
    assert bool(fit.described(load, fitted, unreserved)) is (fitted != load)


@given(st.floats(0.1, 10_000), st.integers(1, 1_000), st.integers(0, 1_000))
def test_a_chosen_load_is_left_alone(rps: float, duration_s: int, unreserved: int) -> None:
    load = Load(rps=rps, duration_s=duration_s + 4.5)
    assert fit.fitted(load, unreserved) == load


def test_ten_executions_bear_seven_requests_in_four_seconds_until_as_many_were_sent() -> None:
    fitted = fit.fitted(Load(), 10)
    assert (fitted.rps, fitted.duration_s) == (1.75, 69)


@pytest.mark.parametrize(("unreserved", "rps"), [(122, 29.75), (123, 30), (3, 30)])
def test_it_is_scaled_from_122_executions_down_and_not_where_nothing_would_fit(unreserved: int, rps: float) -> None:
    assert fit.fitted(Load(), unreserved).rps == rps


def test_workers_and_arrivals_that_someone_chose_are_a_chosen_load() -> None:
    for chosen in (replace(Load(), workers=2), replace(Load(), arrivals="poisson")):
        assert fit.fitted(chosen, 10) == chosen
