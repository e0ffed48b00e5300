"""The comparison with a record over many simulated runs: how often it stops, and how rarely it is wrong."""

from __future__ import annotations

import random
from collections.abc import Mapping

import pytest
from chalicelib.phases.load_test.slo import SloVerdict, slower_than

from tests.fakes.load_runs import run_of


def verdicts(factor: float, runs: int, bound: float = 0.2) -> Mapping[SloVerdict, int]:
    """Many pairs of runs, each pair with chances of its own."""
    results = []
    for number in range(runs):
        chance = random.Random(f"{factor}:{number}")
        results.append(slower_than(run_of(chance, 1.0), run_of(chance, factor), bound, str(number)).verdict)
    return {verdict: results.count(verdict) for verdict in SloVerdict}


def test_a_release_that_is_20_percent_slower_is_stopped_in_at_least_19_of_20_runs() -> None:
    assert verdicts(1.2, 40)[SloVerdict.FAILED] >= 38


def test_an_equal_release_passes_in_at_least_19_of_20_runs() -> None:
    assert verdicts(1.0, 40)[SloVerdict.PASSED] >= 38


@pytest.mark.parametrize("bound", [0.2, 0.5, 1.0, 5.0])
def test_a_release_that_is_8_percent_slower_passes_where_the_bound_allows_it(bound: float) -> None:
    assert verdicts(1.08, 10, bound)[SloVerdict.PASSED] == 10


@pytest.mark.parametrize("bound", [0.2, 0.5, 1.0, 5.0])
def test_a_release_that_is_slower_by_the_bound_is_stopped_whatever_the_bound(bound: float) -> None:
    assert verdicts(1 + bound, 20, bound)[SloVerdict.FAILED] >= 19


@pytest.mark.parametrize("bound", [0.5, 1.0, 5.0])
def test_a_release_that_is_slower_by_half_the_bound_passes(bound: float) -> None:
    assert verdicts(1 + bound / 2, 10, bound)[SloVerdict.PASSED] == 10


def test_a_faster_release_passes() -> None:
    assert verdicts(0.8, 6)[SloVerdict.PASSED] == 6
