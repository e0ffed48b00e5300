"""How far figures are trusted."""

from __future__ import annotations

import random
from itertools import chain
from math import ceil
from typing import Any

import pytest
from chalicelib.load.histogram import Histogram
from chalicelib.phases.load_test.intervals import quantile_interval, ratio_interval, samples_for, share_interval


def histogram(samples: list[int]) -> Histogram:
    recorded = Histogram()
    for us in samples:
        recorded.record(us)
    return recorded


def seconds(chance: random.Random, count: int, each: int, factor: float = 1.0) -> dict[int, Histogram]:
    return {
        second: histogram([int(chance.lognormvariate(9, 0.4) * factor) for _ in range(each)]) for second in range(count)
    }


def test_the_interval_of_a_quantile_holds_the_truth_in_19_of_20_samples() -> None:
    chance = random.Random(1)
    truth = 8103.08  # e^9: the median of what is drawn
    covered = 0
    for _ in range(300):
        interval = quantile_interval(histogram([int(chance.lognormvariate(9, 0.4)) for _ in range(200)]), 0.5)
        assert interval is not None
        assert interval[1] is not None
        covered += interval[0] <= truth <= interval[1]
    assert covered >= 0.93 * 300


def test_a_tail_that_the_samples_do_not_reach_has_no_upper_end() -> None:
    interval = quantile_interval(histogram(list(range(1_000, 1_050))), 0.99)
    assert interval is not None
    assert interval[1] is None


@pytest.mark.parametrize(
    ("count", "share", "interval"),
    [
        # Ranks floor(50 - 1.96·5) = 40 and ceil(50 + 1.96·5) + 1 = 61 of 1 to 100, each a bucket of its own.
        (100, 0.5, (40, 61)),
        (200, 0.9, (171, 190)),
        (100, 0.01, (1, 4)),
    ],
)
def test_the_ends_of_a_quantiles_interval_are_order_statistics(
    count: int, share: float, interval: tuple[int, int]
) -> None:
    assert quantile_interval(histogram(list(range(1, count + 1))), share) == interval


@pytest.mark.parametrize(("count", "upper"), [(7, None), (8, 8.0)])
def test_the_upper_end_exists_when_its_rank_is_among_the_samples(count: int, upper: float | None) -> None:
    """The median's upper rank is 8 of seven samples, and of eight."""
    interval = quantile_interval(histogram(list(range(1, count + 1))), 0.5)
    assert interval is not None
    assert interval[1] == upper


def test_no_samples_no_interval() -> None:
    assert quantile_interval(Histogram(), 0.5) is None


def test_wilsons_interval_of_no_errors_still_leaves_room_for_some() -> None:
    low, high = share_interval(0, 100)
    assert low == 0.0
    assert 0.03 < high < 0.04


def test_wilsons_interval_matches_the_published_example() -> None:
    """Newcombe (1998), Statistics in Medicine 17: 81 of 263 gives 0.2553 to 0.3662."""
    low, high = share_interval(81, 263)
    assert (round(low, 4), round(high, 4)) == (0.2553, 0.3662)


def test_a_p99_needs_a_hundred_samples() -> None:
    assert [samples_for(share) for share in (0.5, 0.9, 0.99, 0.999)] == [2, 10, 100, 1000]


@pytest.mark.parametrize("count", [4, 20])
def test_the_ratio_of_medians_is_found_within_its_interval(count: int) -> None:
    chance = random.Random(2)
    ratio, low, high = ratio_interval(
        seconds(chance, count, 1_000 // count), seconds(chance, count, 1_000 // count, 1.5), 0.5, chance
    )
    assert low < 1.5 < high
    assert low < ratio < high
    assert high - low < 0.3


def test_seconds_that_differ_widen_the_interval() -> None:
    """A machine with moods: the same number of samples says less than on a calm one."""
    chance = random.Random(3)
    calm = {second: histogram([int(chance.lognormvariate(9, 0.1)) for _ in range(50)]) for second in range(20)}
    moody = {
        second: histogram([int(us * mood) for us in [int(chance.lognormvariate(9, 0.1)) for _ in range(50)]])
        for second, mood in enumerate(chance.lognormvariate(0, 0.5) for _ in range(20))
    }
    _, low, high = ratio_interval(calm, calm, 0.5, random.Random(4))
    _, moody_low, moody_high = ratio_interval(moody, moody, 0.5, random.Random(4))
    assert moody_high - moody_low > 2 * (high - low)


def test_the_default_level_is_95_percent() -> None:
    before, after = seconds(random.Random(7), 20, 50), seconds(random.Random(8), 20, 50)
    by_default = ratio_interval(before, after, 0.5, random.Random(9))
    assert by_default == ratio_interval(before, after, 0.5, random.Random(9), rounds=200, level=0.95)
    assert by_default != ratio_interval(before, after, 0.5, random.Random(9), level=0.94)


@pytest.mark.parametrize(("count", "by_blocks"), [(9, False), (10, True)])
def test_whole_seconds_are_resampled_from_ten_seconds_on(count: int, by_blocks: bool) -> None:
    """Half the seconds are ten times as slow: the median of resampled seconds jumps, that of single requests does not
    reach as far as a second's resampling does."""
    uneven = {second: histogram([1_000 * (1 + 9 * (second % 2))] * 100) for second in range(count)}
    even = {second: histogram([1_000] * 100) for second in range(count)}
    _, low, high = ratio_interval(even, uneven, 0.4, random.Random(1))
    assert (high > 5) is by_blocks
    assert low == pytest.approx(1, rel=0.01)


def test_a_comparison_with_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="both sides"):
        ratio_interval({}, seconds(random.Random(5), 2, 10), 0.5, random.Random(6))


def test_no_answers_leave_every_share_possible_and_all_hits_reach_one() -> None:
    assert share_interval(0, 0) == (0.0, 1.0)
    assert share_interval(1, 1)[1] == 1.0
    assert share_interval(1, 10_000)[0] == pytest.approx(1.7653e-05, rel=1e-3)


def test_a_single_sample_is_the_lower_end_of_its_interval() -> None:
    assert quantile_interval(histogram([7]), 0.5) == (7, None)


@pytest.mark.parametrize("count", [4, 20])
def test_a_constant_duration_has_a_ratio_without_spread(count: int) -> None:
    """100 µs to 150 µs; both have a bucket of their own."""
    before = {second: histogram([100] * 20) for second in range(count)}
    after = {second: histogram([150] * 20) for second in range(count)}
    assert ratio_interval(before, after, 0.5, random.Random(1)) == (1.5, 1.5, 1.5)


def test_durations_of_zero_count_as_half_a_microsecond() -> None:
    before, after = {0: histogram([0] * 20)}, {0: histogram([2] * 20)}
    assert ratio_interval(before, after, 0.5, random.Random(1)) == (4, 4, 4)


def test_the_ratio_is_that_of_the_samples_at_the_rank_rounded_up() -> None:
    before = {0: histogram([100] * 5)}
    after = {0: histogram([101, 102, 103, 104, 105])}
    figures = [ratio_interval(before, after, share, random.Random(1))[0] for share in (0.0, 0.2, 0.21, 0.5, 1.0)]
    assert figures == pytest.approx([1.01, 1.01, 1.02, 1.03, 1.05])


def test_no_upper_end_of_a_share_is_above_one() -> None:
    assert max(share_interval(count, count)[1] for count in range(1, 1_000)) == 1.0


def straightforward(
    before: list[list[int]], after: list[list[int]], share: float, chance: random.Random
) -> tuple[float, float, float]:
    """The interval from single samples: the same rule without histograms, at 95 % of 200 rounds."""

    def at(samples: list[int], of: float, otherwise: int) -> float:
        return max(sorted(samples)[max(1, ceil(of * len(samples))) - 1] if samples else otherwise, 0.5)

    def draw(seconds: list[list[int]]) -> float:
        whole = list(chain.from_iterable(seconds))
        if len(seconds) >= 10:
            seconds = chance.choices(seconds, k=len(seconds))
            return at(list(chain.from_iterable(seconds)), share, max(whole))
        rank = max(1.0, len(whole) * share)
        return at(whole, chance.betavariate(rank, len(whole) - rank + 1), 0)

    ratios = sorted(draw(after) / draw(before) for _ in range(200))
    figures = [at(list(chain.from_iterable(side)), share, 0) for side in (after, before)]
    return figures[0] / figures[1], ratios[5], ratios[194]


@pytest.mark.parametrize("share", [0.01, 0.3, 0.5, 0.9])
@pytest.mark.parametrize(("count", "each"), [(1, 40), (9, 6), (10, 6), (20, 3)])
def test_the_interval_is_that_of_a_straightforward_bootstrap(count: int, each: int, share: float) -> None:
    chance = random.Random(f"{count}:{share}")
    before, after = ([[chance.randint(20, 255) for _ in range(each)] for _ in range(count)] for _ in range(2))
    packed = [dict(enumerate(map(histogram, side))) for side in (before, after)]
    expected = straightforward(before, after, share, random.Random(5))
    assert ratio_interval(packed[0], packed[1], share, random.Random(5)) == pytest.approx(expected)


def test_a_resample_of_empty_seconds_only_counts_as_the_longest_duration() -> None:
    before, after = [[50, 60]] * 10, [[100, 120, 140], *[[]] * 9]
    packed = [dict(enumerate(map(histogram, side))) for side in (before, after)]
    expected = straightforward(before, after, 0.3, random.Random(5))
    assert ratio_interval(packed[0], packed[1], 0.3, random.Random(5)) == pytest.approx(expected)
    assert expected[2] == 140 / 50


def test_both_sides_are_resampled_200_times() -> None:
    class Counting(random.Random):
        calls = 0

        def choices(self, *args: Any, **other: Any) -> list[Any]:
            self.calls += 1
            return super().choices(*args, **other)

    chance = Counting(1)
    ratio_interval(seconds(random.Random(2), 10, 5), seconds(random.Random(3), 10, 5), 0.5, chance)
    assert chance.calls == 2 * 200
