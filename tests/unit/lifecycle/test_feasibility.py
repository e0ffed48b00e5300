"""Facts about what is refused at POST because it would fail later."""

from __future__ import annotations

import pytest
from chalicelib.domain.errors import BadRequest
from chalicelib.domain.model import Action, Environment
from chalicelib.domain.options import Load, Options, Slo
from chalicelib.lifecycle import feasibility
from chalicelib.load.arrivals import Arrivals
from chalicelib.phases.load_test import slo
from chalicelib.phases.load_test.intervals import samples_for
from hypothesis import given
from hypothesis import strategies as st

DECIDABLE = Slo(p99_ms=None)


def refuse(options: Options, action: Action = Action.DEPLOY) -> None:
    feasibility.refuse_undecidable_load(action, options)


def test_the_numbers_are_those_by_which_the_load_test_judges() -> None:
    assert (samples_for(slo.P99), slo.COMPARISON_SAMPLES) == (feasibility.P99_SAMPLES, feasibility.COMPARISON_SAMPLES)


@pytest.mark.parametrize("shape", ["constant", "ramp", "step", "poisson"])
@pytest.mark.parametrize(("rps", "duration_s"), [(15, 3), (100, 10), (7.5, 13)])
def test_the_planned_number_is_that_of_the_generator(shape: str, rps: float, duration_s: float) -> None:
    load = Load(rps=rps, duration_s=duration_s, arrivals=shape)  # type: ignore[arg-type]
    assert feasibility.planned(load) == Arrivals(shape, rps, duration_s).expected  # type: ignore[arg-type]


def test_a_trace_counts_what_is_due_within_the_duration() -> None:
    assert feasibility.planned(Load(arrivals="trace", trace=(0.0, 1.0, 9.0), duration_s=5)) == 2


@pytest.mark.parametrize(("rps", "refused"), [(33, True), (99 / 3, True), (100 / 3, False), (34, False)])
def test_a_p99_needs_100_requests(rps: float, refused: bool) -> None:
    options = Options(load=Load(rps=rps, duration_s=3))
    if not refused:
        refuse(options)
        return
    with pytest.raises(BadRequest, match="needs 100 samples") as error:
        refuse(options)
    assert error.value.field == "options.load"


@pytest.mark.parametrize(("rps", "refused"), [(199, True), (200, False)])
def test_a_comparison_needs_200_requests(rps: float, refused: bool) -> None:
    options = Options(load=Load(rps=rps, duration_s=1), slo=Slo(p99_ms=None, slowdown=0.2))
    if refused:
        with pytest.raises(BadRequest, match="needs 200 samples"):
            refuse(options)
    else:
        refuse(options)


@pytest.mark.parametrize(("bound", "refused"), [(30, False), (30.1, True)])
def test_a_rate_that_is_never_sent_cannot_be_met(bound: float, refused: bool) -> None:
    options = Options(load=Load(rps=30), slo=Slo(p99_ms=None, rps=bound))
    if refused:
        with pytest.raises(BadRequest) as error:
            refuse(options)
        assert error.value.field == "options.slo.rps"
    else:
        refuse(options)


@pytest.mark.parametrize("action", [Action.ROLLBACK, Action.CLEANUP, Action.PLAN])
def test_an_action_without_a_load_test_takes_any_load(action: Action) -> None:
    refuse(Options(load=Load(rps=1, duration_s=1)), action)


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
