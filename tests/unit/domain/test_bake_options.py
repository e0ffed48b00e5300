"""The time that a bake may take: what the state machine has left for it, and no second more."""

from __future__ import annotations

from typing import Any

import pytest
from chalicelib.domain.errors import BadRequest
from chalicelib.domain.options import Bake
from chalicelib.release.shifting import step_s, steps_of, watch_s
from hypothesis import given
from hypothesis import strategies as st

STRATEGIES = st.sampled_from(["steps", "all_at_once", "linear", "canary"])
SECONDS = st.none() | st.integers(0, 800)


@given(STRATEGIES, st.integers(1, 99), SECONDS, SECONDS)
def test_the_longest_time_is_that_of_the_steps_that_are_taken(
    strategy: Any, percent: int, step: int | None, watch: int | None
) -> None:
    bake = Bake(strategy=strategy, percent=percent, step_s=step, watch_s=watch)
    expected = len(steps_of(bake)) * step_s(bake, embedded=False) + watch_s(bake, embedded=False)
    assert bake.longest_s == expected


@pytest.mark.parametrize(
    "given_options",
    [
        {"steps": (100,), "step_s": 43_200, "watch_s": 43_200},
        {"steps": (10, 50, 100), "step_s": 0, "watch_s": 86_400},
        {"strategy": "linear", "percent": 1, "step_s": 864, "watch_s": 0},
        {"strategy": "canary", "percent": 5, "step_s": 43_200, "watch_s": 0},
    ],
)
def test_a_day_passes_and_a_second_more_is_refused_by_name(given_options: dict[str, Any]) -> None:
    """Issue 10, row i: three steps of a day each would outlast the state machine."""
    assert Bake(**given_options).longest_s == 86_400
    name = "watch_s" if given_options["watch_s"] < 86_400 else "step_s"
    with pytest.raises(BadRequest, match="may take 86400 s together") as refused:
        Bake(**{**given_options, name: given_options[name] + 1})
    assert refused.value.field == "options.bake"
