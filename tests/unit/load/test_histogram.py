"""The histogram: known to ±0.4 %, exact when merged, equal to HdrHistogram's idea of the same samples."""

from __future__ import annotations

import random
import tracemalloc
from fractions import Fraction
from math import ceil

import pytest
from chalicelib.domain.evidence.load import Percentiles
from chalicelib.load.histogram import (
    BUCKETS,
    FAR_SHIFT,
    FAR_STEP,
    FAR_US,
    MAX_US,
    QUICK,
    QUICK_US,
    SUB_BITS,
    Histogram,
    add,
    decode,
    index_of,
    lowest,
    merge,
    middle,
    percentiles,
    rank_of,
)
from hypothesis import given
from hypothesis import strategies as st


def latencies(count: int, seed: int) -> list[int]:
    chance = random.Random(seed)
    return [int(chance.lognormvariate(9, 1)) for _ in range(count)]


def recorded(samples: list[int]) -> Histogram:
    histogram = Histogram()
    for us in samples:
        histogram.record(us)
    return histogram


@pytest.mark.parametrize("us", [0, 1, 127, 128, 255, 256, 257, 1_000, 65_535, 65_536, 10**7, MAX_US])
def test_a_duration_falls_into_the_bucket_that_holds_it(us: int) -> None:
    index = index_of(us)
    assert lowest(index) <= us < lowest(index + 1)


def quick_index_of(us: int) -> int:
    """The bucket as the hot paths of `generator` and `wire` compute it inline."""
    if us < QUICK_US:
        return QUICK[us]
    return QUICK[us >> FAR_SHIFT] + FAR_STEP if us < FAR_US else index_of(us)


@pytest.mark.parametrize("us", [0, 127, 128, QUICK_US - 1, QUICK_US, 100_003, FAR_US - 1, FAR_US, 30_000_000, MAX_US])
def test_the_quick_way_to_a_bucket_leads_to_the_same_one(us: int) -> None:
    assert quick_index_of(us) == index_of(us)


def test_the_quick_way_is_right_for_every_duration_up_to_two_seconds() -> None:
    assert [us for us in range(0, 2_000_000, 7) if quick_index_of(us) != index_of(us)] == []


def test_buckets_follow_each_other_without_a_gap_and_the_last_one_holds_the_longest() -> None:
    assert [index_of(lowest(index)) for index in range(BUCKETS)] == list(range(BUCKETS))
    assert index_of(MAX_US) == BUCKETS - 1


def test_what_is_reported_is_within_four_tenths_of_a_percent() -> None:
    for us in (300, 4_321, 98_765, 1_234_567, 3_000_000_000):
        assert abs(middle(index_of(us)) - us) / us <= 0.004


def test_longer_and_negative_durations_count_at_the_ends() -> None:
    histogram = recorded([-5, MAX_US + 1])
    assert histogram.counts[0] == 1
    assert histogram.counts[-1] == 1


@pytest.mark.parametrize("share", [0.5, 0.9, 0.99, 0.999, 1.0])
def test_a_percentile_is_that_of_the_samples(share: float) -> None:
    samples = sorted(latencies(20_000, 1))
    truth = samples[max(0, round(share * len(samples)) - 1)]
    figure = recorded(samples).percentile(share)
    assert figure is not None
    assert abs(figure - truth) / truth <= 0.005


def test_an_empty_histogram_has_no_figures() -> None:
    assert Histogram().percentile(0.99) is None
    assert Histogram().maximum() is None


def test_decoding_gives_back_what_was_encoded() -> None:
    histogram = recorded(latencies(1_000, 3))
    assert decode(histogram.encode()) == histogram


@pytest.mark.parametrize("broken", [b"", b"nonsense", Histogram([0] * 7).encode()])
def test_what_is_no_histogram_is_refused(broken: bytes) -> None:
    with pytest.raises(ValueError, match="not a histogram"):
        decode(broken)


def test_a_thousand_shards_merge_to_exactly_the_histogram_of_all_samples_in_under_100_mb() -> None:
    shards = [latencies(50, seed) for seed in range(1_000)]
    encoded = [recorded(shard).encode() for shard in shards]
    tracemalloc.start()
    merged = merge(encoded)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert merged == recorded([us for shard in shards for us in shard])
    assert peak < 100_000_000


def test_counts_that_fill_a_lane_do_not_spill_into_the_next() -> None:
    big = Histogram([2**62] + [0] * (BUCKETS - 1))
    assert merge([big.encode()] * 3).counts[:2] == [3 * 2**62, 0]


def test_percentiles_of_merged_shards_are_true_where_their_mean_is_not() -> None:
    """20 workers, one slow half the time: the truth is the slow one's, the mean of p99s is a fifth of it."""
    fast = [10_000] * 1_000
    slow = [10_000] * 500 + [2_100_000] * 500
    shards = [recorded(fast) for _ in range(19)] + [recorded(slow)]
    merged = add(shards).percentile(0.99)
    mean = sum(shard.percentile(0.99) or 0 for shard in shards) / 20
    assert merged is not None
    assert abs(merged - 2_100_000) / 2_100_000 < 0.01
    assert mean < 0.1 * merged


def test_a_doubling_has_128_buckets_up_to_71_minutes() -> None:
    assert (SUB_BITS, MAX_US, BUCKETS) == (7, 4_294_967_295, 3_328)
    assert index_of(512) - index_of(256) == 128
    assert (middle(0), middle(127), middle(index_of(256))) == (0, 127, 256.5)


def test_the_table_covers_what_the_hot_paths_look_up_in_it() -> None:
    assert (QUICK_US, FAR_US, FAR_STEP) == (16_384, 1_048_576, 768)
    assert len(QUICK) == QUICK_US == FAR_US >> FAR_SHIFT


def test_ranks_run_from_one_to_the_number_of_samples() -> None:
    histogram = recorded([10, 20, 30])
    assert (histogram.total, histogram.at_rank(1), histogram.at_rank(3), histogram.maximum()) == (3, 10, 30, 30)
    for rank in (0, 4):
        with pytest.raises(ValueError, match=f"rank {rank} of 3"):
            histogram.at_rank(rank)


@pytest.mark.parametrize(("share", "us"), [(0.0, 10), (1 / 3, 10), (0.34, 20), (0.5, 20), (0.67, 30), (1.0, 30)])
def test_a_percentile_is_the_smallest_that_the_share_did_not_exceed(share: float, us: int) -> None:
    assert recorded([10, 20, 30]).percentile(share) == us


def test_one_sample_is_every_percentile() -> None:
    assert [recorded([7]).percentile(share) for share in (0.0, 0.5, 1.0)] == [7, 7, 7]


def test_histograms_are_equal_when_their_counts_are() -> None:
    assert recorded([10]) == recorded([10])
    assert recorded([10]) != recorded([11])
    assert recorded([10]) != 5


def test_a_histogram_of_another_size_is_refused_with_both_sizes() -> None:
    with pytest.raises(ValueError, match="56 bytes instead of 26624"):
        decode(Histogram([0] * 7).encode())
    with pytest.raises(ValueError, match="shorter"):
        add([Histogram(), Histogram([0] * 7)])


@given(st.integers(0, 1_000_000), st.integers(1, 10**12))
def test_a_rank_is_exact_for_every_share_in_millionths(millionths: int, total: int) -> None:
    exact = ceil(Fraction(millionths, 1_000_000) * total)
    assert rank_of(millionths / 1_000_000, total) == max(1, exact)


def test_a_rank_is_the_share_rounded_up_and_at_least_the_first() -> None:
    assert [rank_of(0.5, total) for total in (0, 1, 2, 3, 4)] == [1, 1, 1, 2, 2]
    assert [rank_of(0.99, total) for total in (99, 100, 101, 300)] == [99, 99, 100, 297]
    assert rank_of(0.07, 100) == 7  # 7.000000000000001 in floating point
    assert rank_of(0.5, 10**9) == 500_000_000
    assert rank_of(0.0, 5) == 1


def test_percentiles_are_those_of_their_shares_in_milliseconds() -> None:
    every = percentiles(recorded([100 * number for number in range(1, 10_001)]))
    assert [every.p50, every.p90, every.p99, every.p999, every.max] == pytest.approx(
        [500, 900, 990, 999, 1_000], rel=0.005
    )


@pytest.mark.parametrize("us", [333, 1_000_000])
def test_milliseconds_have_three_decimals(us: int) -> None:
    exact = middle(index_of(us)) / 1_000
    assert exact != round(exact, 3)
    assert percentiles(recorded([us])).p50 == round(exact, 3)


def test_without_samples_there_are_no_percentiles() -> None:
    assert percentiles(Histogram()) == Percentiles(None, None, None, None, None)
