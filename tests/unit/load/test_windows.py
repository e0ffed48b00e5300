"""Two runs as windows of a sequential test."""

from __future__ import annotations

import random

import pytest
from chalicelib.domain.evidence.comparison import Split
from chalicelib.load.histogram import MAX_US, Histogram
from chalicelib.load.windows import above, longer, paired, slow


def of(*us: int) -> Histogram:
    histogram = Histogram()
    for each in us:
        histogram.record(each)
    return histogram


def test_hits_are_the_answers_above_the_quantile_of_both_sides() -> None:
    assert slow(of(10, 20, 30, 40), of(11, 21, 31, 41), 0.5, 0.0, 0.0) == Split(4, 2, 4, 2)
    assert slow(of(30, 40, 50, 60), of(10, 20, 25, 28), 0.5, 0.0, 0.0) == Split(4, 4, 4, 0)
    assert slow(of(*range(100)), of(*range(100)), 0.99, 0.0, 0.0) == Split(100, 1, 100, 1)


def test_a_quantile_between_two_ranks_takes_the_higher() -> None:
    """Of 5 answers the median is the third: two are slower."""
    assert slow(of(1, 2, 3), of(4, 5), 0.5, 0.0, 0.0) == Split(3, 0, 2, 2)


def test_answers_equal_to_the_quantile_are_no_hits() -> None:
    assert slow(of(10, 10, 10), of(10, 10, 20), 0.5, 0.0, 0.0) == Split(3, 0, 3, 1)


def test_one_side_alone_or_none_is_a_window_too() -> None:
    assert slow(of(1, 2), of(), 0.5, 0.0, 0.0) == Split(2, 1, 0, 0)
    assert slow(of(), of(), 0.5, 0.0, 0.0) == Split(0, 0, 0, 0)


def test_a_tolerance_stretches_lives_answers() -> None:
    """100 and 120 ms: 20 % slower is slower than 19 % and not slower than 21 %."""
    candidate, live = of(*[120_000] * 10), of(*[100_000] * 10)
    assert slow(candidate, live, 0.5, 0.19, 0.0) == Split(10, 10, 10, 0)
    assert slow(candidate, live, 0.5, 0.21, 0.0) == Split(10, 0, 10, 10)


def test_a_tolerance_is_at_least_so_many_microseconds() -> None:
    """10 % of 10 ms is 1 ms; the greater of both counts."""
    live = of(*[10_000] * 4)
    assert slow(of(*[12_000] * 4), live, 0.5, 0.1, 1_500) == Split(4, 4, 4, 0)
    assert slow(of(*[12_000] * 4), live, 0.5, 0.1, 2_500) == Split(4, 0, 4, 4)
    assert slow(of(*[12_000] * 4), live, 0.5, 0.3, 1_500) == Split(4, 0, 4, 4)
    assert (longer(10_000, 0.1, 500), longer(10_000, 0.1, 1_500)) == (11_000, 11_500)


def test_the_longest_duration_can_be_stretched() -> None:
    assert slow(of(MAX_US), of(MAX_US), 0.5, 0.5, 0.0).live == 1


@pytest.mark.parametrize("share", [0.5, 0.9, 0.99])
def test_which_side_an_answer_came_from_does_not_move_the_threshold(share: float) -> None:
    chance = random.Random(3)
    for _ in range(100):
        durations = [chance.randrange(1, 10_000_000) for _ in range(chance.randrange(2, 200))]
        cut = chance.randrange(len(durations) + 1)
        first = slow(of(*durations[:cut]), of(*durations[cut:]), share, 0.0, 0.0)
        chance.shuffle(durations)
        second = slow(of(*durations[:cut]), of(*durations[cut:]), share, 0.0, 0.0)
        assert first.candidate_hits + first.live_hits == second.candidate_hits + second.live_hits


def test_seconds_are_joined_until_a_quantile_has_two_answers_beyond() -> None:
    """4 samples for a median, 200 for a p99."""
    run = {second: of(1) for second in range(10)}
    assert [ours.total for ours, _ in paired(run, run, 0.5, 0)] == [2] * 5
    run = {second: of(*[1] * 50) for second in range(5)}
    assert [ours.total + theirs.total for ours, theirs in paired(run, run, 0.99, 0)] == [200, 200]
    short = {second: of(*[1] * 49) for second in range(4)}
    assert [ours.total for ours, _ in paired(short, short, 0.99, 0)] == [147]


def test_seconds_in_which_environments_start_are_left_out() -> None:
    run = {second: of(second + 1, second + 1) for second in range(4)}
    assert [ours.counts.index(2) for ours, _ in paired(run, run, 0.5, 2)] == [3, 4]


def test_a_window_waits_for_both_sides() -> None:
    candidate, live = {0: of(1, 1, 1, 1, 1), 2: of(1)}, {1: of(1), 3: of(1, 1, 1, 1)}
    pairs = [(ours.total, theirs.total) for ours, theirs in paired(candidate, live, 0.5, 0)]
    assert pairs == [(5, 1), (1, 4)]
    assert list(paired({}, live, 0.5, 0)) == list(paired(candidate, {}, 0.5, 0)) == []


def test_above_counts_what_is_in_later_buckets_than_the_limit() -> None:
    """Below 256 microseconds each bucket is one."""
    histogram = of(9, 10, 11, 11, 12)
    assert [above(histogram, us) for us in (8, 9, 10, 10.9, 11, 12)] == [5, 4, 3, 3, 1, 0]
    assert above(histogram, 10 * MAX_US) == 0
