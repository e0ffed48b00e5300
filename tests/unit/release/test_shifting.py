"""Strategies are steps."""

from __future__ import annotations

import pytest
from chalicelib.domain.options import Bake
from chalicelib.release.shifting import Weights, firing, step_s, steps_of, watch_s, weights_at


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


def test_a_linear_shift_keeps_its_last_step_before_all_traffic() -> None:
    assert steps_of(Bake(strategy="linear", percent=33)) == [33, 66, 99, 100]


def test_an_alias_on_one_version_sends_no_share_elsewhere() -> None:
    assert Weights("1") == Weights("1", None, 0.0)


def test_only_alarms_in_alarm_fire_in_the_order_of_their_names() -> None:
    assert firing({"c": "ALARM", "b": "OK", "a": "ALARM", "d": "INSUFFICIENT_DATA"}) == ["a", "c"]
