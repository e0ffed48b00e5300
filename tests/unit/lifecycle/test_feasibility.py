"""Facts about what is refused at POST because it would fail later."""

from __future__ import annotations

from typing import Literal

import pytest
from chalicelib.domain.errors import BadRequest
from chalicelib.domain.model import Action, Environment
from chalicelib.domain.options import Load, Options, Relative, Slo
from chalicelib.lifecycle import feasibility
from hypothesis import given
from hypothesis import strategies as st


def refuse(options: Options, action: Action = Action.DEPLOY) -> None:
    feasibility.refuse_undecidable(action, options)


@pytest.mark.parametrize(("bound", "refused"), [(30, False), (30.1, True)])
def test_a_rate_that_is_never_sent_cannot_be_met(bound: float, refused: bool) -> None:
    options = Options(load=Load(rps=30), slo=Slo(p99_ms=None, rps=bound))
    if refused:
        with pytest.raises(BadRequest) as error:
            refuse(options)
        assert error.value.field == "options.slo.rps"
    else:
        refuse(options)


@pytest.mark.parametrize(("arrivals", "rate"), [("constant", 40), ("ramp", 20), ("step", 25), ("poisson", 40)])
def test_a_rate_above_the_mean_of_what_is_sent_cannot_be_met(
    arrivals: Literal["constant", "ramp", "step", "poisson"], rate: float
) -> None:
    load = Load(rps=40, duration_s=10, arrivals=arrivals)
    refuse(Options(load=load, slo=Slo(rps=rate)))
    with pytest.raises(BadRequest, match=f"sends {rate} requests a second on average"):
        refuse(Options(load=load, slo=Slo(rps=rate + 0.1)))


def test_of_a_trace_the_requests_within_the_duration_count() -> None:
    load = Load(arrivals="trace", trace=tuple(at / 10 for at in range(100)), duration_s=10)
    refuse(Options(load=load, slo=Slo(rps=10)))
    with pytest.raises(BadRequest, match="sends 10 requests"):
        refuse(Options(load=load, slo=Slo(rps=11)))


@pytest.mark.parametrize(("starts", "bound", "refused"), [(0, 0.2, True), (1, 0.2, False), (0, None, False)])
def test_a_relative_bound_on_cold_starts_needs_one(starts: int, bound: float | None, refused: bool) -> None:
    options = Options(load=Load(cold_starts=starts), slo=Slo(relative=Relative(cold_start=bound)))
    refuse(options, Action.CLEANUP)
    if not refused:
        refuse(options)
        return
    with pytest.raises(BadRequest) as error:
        refuse(options)
    assert error.value.field == "options.load.cold_starts"


@pytest.mark.parametrize("action", [Action.ROLLBACK, Action.CLEANUP, Action.PLAN])
def test_an_action_without_a_load_test_takes_any_rate(action: Action) -> None:
    refuse(Options(load=Load(rps=30), slo=Slo(p99_ms=None, rps=31)), action)


def test_the_defaults_are_decidable() -> None:
    refuse(Options())


@pytest.mark.parametrize(
    ("name", "near"),
    [("shpo", True), ("sho", True), ("shops", True), ("shopper", False), ("chat", False), ("shopxy", True)],
)
def test_a_new_name_within_two_letters_of_an_existing_one_is_refused(name: str, near: bool) -> None:
    existing = [Environment("shop", "LIVE"), Environment("gone", "REMOVED"), Environment("unheard")]
    if not near:
        feasibility.refuse_near_name(name, existing)
        return
    with pytest.raises(BadRequest, match="shop") as error:
        feasibility.refuse_near_name(name, existing)
    assert "create: true" in str(error.value.remedy)


def test_a_removed_environments_name_is_free() -> None:
    feasibility.refuse_near_name("gona", [Environment("gone", "REMOVED")])


WORDS = st.text("abc", max_size=6)


@given(WORDS, WORDS, WORDS)
def test_the_distance_is_a_metric(left: str, right: str, other: str) -> None:
    assert (feasibility.distance(left, right) == 0) == (left == right)
    assert feasibility.distance(left, right) == feasibility.distance(right, left)
    through = feasibility.distance(left, other) + feasibility.distance(other, right)
    assert feasibility.distance(left, right) <= through
    assert abs(len(left) - len(right)) <= feasibility.distance(left, right) <= max(len(left), len(right))
