"""When requests are due."""

from __future__ import annotations

from itertools import accumulate, pairwise
from random import Random
from statistics import mean, pstdev

import pytest
from chalicelib.domain.errors import BadRequest
from chalicelib.load.arrivals import Arrivals, due_times, within


def test_a_constant_rate_is_evenly_spread() -> None:
    assert list(due_times(Arrivals("constant", 4, 1))) == [0, 0.25, 0.5, 0.75]


def test_a_ramp_rises_in_a_straight_line() -> None:
    due = list(due_times(Arrivals("ramp", 100, 10)))
    assert len(due) == pytest.approx(500, abs=1)
    assert sum(at < 5 for at in due) == pytest.approx(125, abs=1)


def test_steps_are_plateaus_of_equal_length() -> None:
    due = list(due_times(Arrivals("step", 40, 4, steps=4)))
    assert [sum(second <= at < second + 1 for at in due) for second in range(4)] == [10, 20, 30, 40]


def test_poisson_arrivals_have_the_rate_and_the_spread_of_a_poisson_process() -> None:
    due = list(due_times(Arrivals("poisson", 200, 50), seed=1))
    gaps = [after - before for before, after in pairwise(due)]
    assert len(due) == pytest.approx(10_000, rel=0.04)
    assert pstdev(gaps) == pytest.approx(mean(gaps), rel=0.05)


def test_poisson_arrivals_are_the_same_for_the_same_seed_only() -> None:
    arrivals = Arrivals("poisson", 50, 2)
    assert list(due_times(arrivals, seed=1)) == list(due_times(arrivals, seed=1))
    assert list(due_times(arrivals, seed=1)) != list(due_times(arrivals, seed=2))


def test_a_trace_is_driven_as_recorded_in_order_and_within_its_time() -> None:
    arrivals = Arrivals("trace", duration_s=3, trace=[2.5, 0.1, 0.1, 7.0])
    assert list(due_times(arrivals)) == [0.1, 0.1, 2.5]
    assert arrivals.expected == 3


@pytest.mark.parametrize("shape", ["constant", "ramp", "step", "trace"])
def test_workers_share_the_arrivals_without_loss_or_repetition(shape: str) -> None:
    arrivals = Arrivals(shape, 97, 3, trace=[at / 50 for at in range(140)])  # type: ignore[arg-type]
    alone = list(due_times(arrivals))
    shared = [at for worker in range(7) for at in due_times(arrivals, worker=worker, workers=7)]
    assert sorted(shared) == alone


def test_poisson_workers_together_have_the_whole_rate() -> None:
    arrivals = Arrivals("poisson", 100, 50)
    shares = [len(list(due_times(arrivals, worker=worker, workers=4, seed=3))) for worker in range(4)]
    assert sum(shares) == pytest.approx(5_000, rel=0.05)
    assert all(share == pytest.approx(1_250, rel=0.12) for share in shares)


@pytest.mark.parametrize(("shape", "count"), [("constant", 300), ("ramp", 150), ("step", 188)])
def test_the_expected_count_is_about_what_is_due(shape: str, count: int) -> None:
    arrivals = Arrivals(shape, 100, 3)  # type: ignore[arg-type]
    assert arrivals.expected == pytest.approx(count, abs=1)
    assert len(list(due_times(arrivals))) == pytest.approx(arrivals.expected, abs=3)


def test_slices_of_a_run_hold_every_arrival_once() -> None:
    arrivals = Arrivals("ramp", 50, 9)
    parts = [list(within(due_times(arrivals), window)) for window in ((0, 3), (3, 6), (6, 9))]
    whole = [at + 3 * part for part, due in enumerate(parts) for at in due]
    assert whole == pytest.approx(list(due_times(arrivals)))


def test_an_unknown_shape_is_refused_by_name() -> None:
    with pytest.raises(BadRequest) as raised:
        due_times(Arrivals("sawtooth"))  # type: ignore[arg-type]
    assert raised.value.field == "options.load.arrivals"


def test_each_shape_is_due_at_exactly_these_times() -> None:
    assert list(due_times(Arrivals("ramp", 8, 2))) == [(count / 2) ** 0.5 for count in range(8)]
    assert list(due_times(Arrivals("step", 2, 4, steps=2))) == [0, 1, 2, 2.5, 3, 3.5]
    assert list(due_times(Arrivals("trace", duration_s=3, trace=[3.0, -0.5, 0.0, 2.5]))) == [0.0, 2.5]


@pytest.mark.parametrize(
    ("arrivals", "count"),
    [
        (Arrivals("constant", 40, 4), 160),
        (Arrivals("poisson", 40, 4), 160),
        (Arrivals("ramp", 40, 4), 80),
        (Arrivals("step", 40, 4, steps=4), 100),
        (Arrivals("step", 40, 3, steps=1), 120),
        (Arrivals("trace", duration_s=3, trace=[0.0, 2.9, 3.0]), 2),
    ],
)
def test_the_expected_count_follows_the_shape(arrivals: Arrivals, count: int) -> None:
    assert arrivals.expected == count


def test_the_defaults_are_ten_a_second_for_five_seconds_by_one_worker() -> None:
    assert Arrivals() == Arrivals("constant", 10, 5, 4, ())
    assert list(due_times(Arrivals())) == [count / 10 for count in range(50)]
    poisson = Arrivals("poisson")
    assert list(due_times(poisson)) == list(due_times(poisson, worker=0, workers=1, seed=0))


def test_a_window_includes_its_start_and_not_its_end() -> None:
    assert list(within(iter([2.9, 3.0, 5.9, 6.0]), (3, 6))) == pytest.approx([0, 2.9])


def test_a_poisson_worker_has_its_share_of_the_rate_from_its_first_arrival() -> None:
    due = list(due_times(Arrivals("poisson", 100, 1), worker=1, workers=4, seed=3))
    chance = Random("3:1")
    gaps = [chance.expovariate(25) for _ in due]
    assert due == pytest.approx(list(accumulate(gaps)))
