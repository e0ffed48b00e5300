"""Strategies are steps, and Fisher's exact test gives the figures of textbook tables."""

from __future__ import annotations

import math

import pytest
from chalicelib.domain.options import Bake
from chalicelib.release.shifting import CanaryVerdict, Tally, Weights, compare, step_s, steps_of, watch_s, weights_at


@pytest.mark.parametrize(
    ("bake", "steps"),
    [
        (Bake(), [10, 50, 100]),
        (Bake(strategy="all_at_once"), [100]),
        (Bake(strategy="canary", percent=5), [5, 100]),
        (Bake(strategy="linear", percent=25), [25, 50, 75, 100]),
        (Bake(strategy="linear", percent=30), [30, 60, 90, 100]),
    ],
)
def test_a_strategy_is_steps_that_end_with_everyone(bake: Bake, steps: list[int]) -> None:
    assert steps_of(bake) == steps


def test_an_account_waits_minutes_where_a_demo_waits_seconds() -> None:
    assert (step_s(Bake(), embedded=False), watch_s(Bake(), embedded=False)) == (60, 300)
    assert (step_s(Bake(), embedded=True), watch_s(Bake(), embedded=True)) == (1, 2)
    assert (step_s(Bake(step_s=0), embedded=False), watch_s(Bake(watch_s=7), embedded=True)) == (0, 7)


def test_at_the_end_the_candidate_is_the_version_itself() -> None:
    assert weights_at("1", "2", 50).additional == {"2": 0.5}
    assert (weights_at("1", "2", 99).main, weights_at("1", "2", 99).additional) == ("1", {"2": 0.99})
    assert (weights_at("1", "2", 100).main, weights_at("1", "2", 100).additional) == ("2", {})


def test_the_p_value_is_that_of_the_hypergeometric_distribution() -> None:
    # All of a's three fail and none of b's three: one way in C(6, 3) = 20.
    assert math.isclose(compare(Tally(3, 3), Tally(3, 0)).p_value, 1 / 20)
    # The tea-tasting table: 3 of 4 right, (C(4,3)·C(4,1) + C(4,4)·C(4,0)) / C(8,4) = 17/70.
    assert math.isclose(compare(Tally(4, 3), Tally(4, 1)).p_value, 17 / 70)


@pytest.mark.parametrize(
    ("candidate", "live", "verdict"),
    [
        (Tally(0, 0), Tally(1_000, 0), CanaryVerdict.UNDECIDED),
        (Tally(1, 1), Tally(5, 0), CanaryVerdict.UNDECIDED),
        (Tally(50, 0), Tally(500, 0), CanaryVerdict.NOT_WORSE),
        (Tally(50, 1), Tally(500, 10), CanaryVerdict.NOT_WORSE),
        (Tally(50, 10), Tally(500, 10), CanaryVerdict.WORSE),
        (Tally(1_000, 30), Tally(9_000, 90), CanaryVerdict.WORSE),
        (Tally(1_000, 0), Tally(9_000, 900), CanaryVerdict.NOT_WORSE),
        # Both sides of the significance of 1 %: p = 0.0081 and 0.0121, 0.0059 and 0.0186.
        (Tally(40, 2), Tally(400, 0), CanaryVerdict.WORSE),
        (Tally(50, 2), Tally(400, 0), CanaryVerdict.NOT_WORSE),
        (Tally(100, 6), Tally(400, 4), CanaryVerdict.WORSE),
        (Tally(100, 5), Tally(400, 4), CanaryVerdict.NOT_WORSE),
        # One failure of one call is significant beside 100 good ones (p = 1/101), not beside 98 (p = 1/99).
        (Tally(1, 0), Tally(100, 0), CanaryVerdict.NOT_WORSE),
        (Tally(1, 0), Tally(98, 0), CanaryVerdict.UNDECIDED),
    ],
)
def test_verdicts(candidate: Tally, live: Tally, verdict: CanaryVerdict) -> None:
    assert compare(candidate, live).verdict is verdict


def test_a_linear_shift_keeps_its_last_step_before_all_traffic() -> None:
    assert steps_of(Bake(strategy="linear", percent=33)) == [33, 66, 99, 100]


def test_an_alias_on_one_version_sends_no_share_elsewhere() -> None:
    assert Weights("1") == Weights("1", None, 0.0)


@pytest.mark.parametrize(("candidate", "live"), [(Tally(0, 0), Tally(10, 5)), (Tally(10, 5), Tally(0, 0))])
def test_a_version_without_invocations_proves_nothing(candidate: Tally, live: Tally) -> None:
    comparison = compare(candidate, live)
    assert comparison.p_value == pytest.approx(1.0)
    assert comparison.verdict is CanaryVerdict.UNDECIDED


def test_a_p_value_is_a_probability_whatever_rounding_adds() -> None:
    """Summing all terms gives a little more than 1 for some of these."""
    tallies = [Tally(calls, errors) for calls in range(1, 40, 6) for errors in range(0, calls + 1, 5)]
    p_values = [compare(candidate, live).p_value for candidate in tallies for live in tallies]
    assert all(0 < p_value <= 1 for p_value in p_values)
