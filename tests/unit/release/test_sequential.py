"""Every number and comparison of the sequential test that decides; scipy judges it in test_sequential_oracle.py."""

from __future__ import annotations

from math import exp, log

import pytest
from chalicelib.domain.evidence.comparison import Sequence, Split
from chalicelib.release import against_record
from chalicelib.release.sequential import (
    ALPHA,
    BAND,
    EQUAL,
    LOG_ODDS,
    MOST_POINTS,
    RULES,
    WITHIN,
    Rule,
    holds,
    log_likelihoods,
    log_sum,
    margin,
    step,
    tolerating,
)
from hypothesis import given
from hypothesis import strategies as st

ERRORS = RULES["errors"]


def test_the_rules_share_one_percent() -> None:
    """The limit and the evidence of each comparison of the bake: errors, and two quantiles of two times."""
    assert ALPHA == 0.01
    bake = 2 * against_record.ERRORS_ALPHA + 2 * 4 * against_record.TIMES_ALPHA
    assert sum(rule.alpha for rule in RULES.values()) == pytest.approx(ALPHA - bake)
    assert all(sum(rule.weights.values()) == pytest.approx(1) for rule in (*RULES.values(), WITHIN))
    assert {name: rule.alpha for name, rule in RULES.items()} == {
        "errors": 0.005,
        "total_p50": 0.001,
        "total_p99": 0.0004,
        "overhead_p50": 0.0006,
        "overhead_p99": 0.0002,
        "first_byte_p50": 0.0006,
        "first_byte_p99": 0.0002,
    }
    assert (WITHIN.alpha, WITHIN.needed, BAND) == (0.05, 20, 0.05)


def test_the_alternatives_are_the_effects_that_a_bad_release_has() -> None:
    def odds(rule: Rule) -> dict[float, float]:
        return {round(exp(LOG_ODDS[index]), 2): weight for index, weight in rule.weights.items()}

    assert odds(ERRORS) == {4: 0.1, 16: 0.7, 128: 0.2}
    assert odds(WITHIN) == {1.41: 0.3, 2: 0.3, 2.83: 0.2, 4: 0.2}
    for name, rule in RULES.items():
        if name.endswith("p50"):
            assert rule.weights == WITHIN.weights
        elif name.endswith("p99"):
            assert odds(rule) == {2: 0.3, 4: 0.4, 16: 0.3}


def test_the_odds_are_half_octaves_from_an_128th_to_128() -> None:
    assert len(LOG_ODDS) == 29
    assert LOG_ODDS[EQUAL] == 0
    assert exp(LOG_ODDS[0]) == pytest.approx(1 / 128)
    assert exp(LOG_ODDS[-1]) == pytest.approx(128)
    assert LOG_ODDS[EQUAL + 2] == pytest.approx(log(2))


def repeated(split: Split, count: int, rule: Rule = ERRORS) -> Sequence:
    sequence = Sequence()
    for _ in range(count):
        sequence = step(sequence, split, rule)
    return sequence


def test_nine_failures_of_the_candidate_alone_decide_and_eight_do_not() -> None:
    """e = 310 at 9, 162 at 8; 200 is needed."""
    eight, nine = repeated(Split(30, 1, 30, 0), 8), repeated(Split(30, 1, 30, 0), 9)
    assert eight.decided_after is None
    assert nine.decided_after == 540
    assert exp(eight.peak) < ERRORS.needed == 200 < exp(nine.peak)
    assert exp(nine.peak) == pytest.approx(0.1 * 1.6**9 + 0.7 * (32 / 17) ** 9 + 0.2 * (256 / 129) ** 9, rel=1e-4)
    assert (holds(eight, ERRORS), holds(nine, ERRORS), holds(Sequence(), ERRORS)) == (False, True, False)


def test_evidence_of_exactly_the_needed_value_decides() -> None:
    """A rule that one window at odds of 2 meets exactly: both comparisons admit equality."""
    window = Split(10, 1, 10, 0)
    value = log_likelihoods(window)[EQUAL + 2]
    rule = Rule(1 / exp(round(value, 6)), {EQUAL + 2: 1.0})
    exact = Rule(rule.alpha * (1 + 1e-9), {EQUAL + 2: 1.0})
    more = Rule(rule.alpha * (1 - 1e-9), {EQUAL + 2: 1.0})
    assert step(Sequence(), window, exact).decided_after == 20
    assert step(Sequence(), window, more).decided_after is None
    assert holds(step(Sequence(), window, exact), exact)
    assert not holds(step(Sequence(), window, more), more)


def test_a_decision_stays_with_the_samples_that_made_it() -> None:
    decided = repeated(Split(30, 1, 30, 0), 9)
    later = step(step(decided, Split(30, 0, 30, 9), ERRORS), Split(30, 2, 30, 0), ERRORS)
    assert later.decided_after == 540
    assert later.peak >= decided.peak
    assert not holds(later, ERRORS)


def test_failures_of_live_are_evidence_for_the_candidate() -> None:
    after = step(repeated(Split(30, 1, 30, 0), 7), Split(30, 0, 30, 3), ERRORS)
    assert after.points[-1].evidence < after.points[-2].evidence
    assert after.peak == repeated(Split(30, 1, 30, 0), 7).peak


@pytest.mark.parametrize(
    "split", [Split(30, 0, 30, 0), Split(0, 0, 9, 3), Split(9, 3, 0, 0), Split(), Split(5, 5, 5, 5)]
)
def test_a_window_that_cannot_tell_the_sides_apart_changes_no_evidence(split: Split) -> None:
    after = step(Sequence(), split, ERRORS)
    assert after.peak == pytest.approx(0.0, abs=1e-9)
    assert after.log_likelihood == pytest.approx((0.0,) * len(LOG_ODDS), abs=1e-6)
    assert after.total == split


def test_windows_add_up() -> None:
    sequence = step(step(Sequence(), Split(10, 1, 20, 2), ERRORS), Split(1, 1, 2, 0), ERRORS)
    assert sequence.total == Split(11, 2, 22, 2)
    assert [point.samples for point in sequence.points] == [30, 33]


def test_the_band_shrinks_around_the_true_odds() -> None:
    """40 of 100 against 20 of 100 are odds of 8 : 3."""
    sequence, rule = Sequence(), RULES["total_p50"]
    widths: list[float] = []
    low = high = None
    for _ in range(30):
        sequence = step(sequence, Split(100, 40, 100, 20), rule)
        low, high = sequence.points[-1].low, sequence.points[-1].high
        assert low is not None
        assert high is not None
        widths.append(high / low)
    assert sequence.points[-1].odds == pytest.approx(2.83, rel=0.01)
    assert low is not None
    assert high is not None
    assert low < 8 / 3 < high
    assert widths == sorted(widths, reverse=True)
    assert widths[0] > 2 * widths[-1]
    assert (low, high) == (2.0, 4.0)


def test_the_band_is_open_while_nothing_is_known() -> None:
    point = step(Sequence(), Split(10, 0, 10, 0), ERRORS).points[0]
    assert (point.low, point.high, point.odds, point.evidence) == (None, None, 1.0, 1.0)
    one_sided = repeated(Split(50, 5, 50, 0), 3).points[-1]
    assert one_sided.low is not None
    assert one_sided.low > 1
    assert one_sided.high is None
    mirrored = repeated(Split(50, 0, 50, 5), 3).points[-1]
    assert mirrored.low is None
    assert mirrored.high == pytest.approx(1 / one_sided.low, rel=0.01)


def test_a_ratio_leaves_the_band_when_all_together_are_20_times_as_likely() -> None:
    sequence = repeated(Split(50, 4, 50, 1), 3)
    values = sequence.log_likelihood
    mean = log_sum(values) - log(29)
    inside = [index for index, value in enumerate(values) if mean - value < log(20)]
    point = sequence.points[-1]
    assert inside[0] > 0
    assert inside[-1] < 28
    assert point.low == pytest.approx(exp(LOG_ODDS[inside[0] - 1]), abs=1e-4)
    assert point.high == pytest.approx(exp(LOG_ODDS[inside[-1] + 1]), abs=1e-4)


def test_a_long_sequence_keeps_24_points_with_first_and_last() -> None:
    sequence = Sequence()
    for number in range(500):
        sequence = step(sequence, Split(10, number % 2, 10, (number + 1) % 2), ERRORS)
        assert len(sequence.points) <= MOST_POINTS == 24
    samples = [point.samples for point in sequence.points]
    assert samples[0] == 20
    assert samples[-1] == 10_000
    assert samples == sorted(set(samples))
    assert len(samples) > 10


@pytest.mark.parametrize("already", [0, 3, 8])
def test_margin_says_how_many_more_failures_would_stop(already: int) -> None:
    sequence = repeated(Split(30, 1, 30, 0), already) if already else step(Sequence(), Split(30, 0, 30, 0), ERRORS)
    missing = margin(sequence, ERRORS)
    assert missing == 9 - already
    for number in range(missing):
        assert sequence.decided_after is None, number
        sequence = step(sequence, Split(30, 1, 30, 0), ERRORS)
    assert sequence.decided_after is not None


@pytest.mark.parametrize(("failures", "fewer"), [(9, 1), (10, 2), (13, 5)])
def test_margin_of_a_decision_says_how_many_fewer_would_not_have_stopped(failures: int, fewer: int) -> None:
    assert margin(repeated(Split(30, 1, 30, 0), failures), ERRORS) == fewer


def test_margin_depends_on_the_candidates_share_of_the_requests() -> None:
    """With a tenth of the traffic each failure of the candidate says more."""
    assert margin(step(Sequence(), Split(10, 0, 90, 0), ERRORS), ERRORS) == 3
    assert margin(step(Sequence(), Split(90, 0, 10, 0), ERRORS), ERRORS) > 40


def test_margin_is_0_without_both_sides_and_ends() -> None:
    assert margin(Sequence(), ERRORS) == 0
    assert margin(step(Sequence(), Split(5, 0, 0, 0), ERRORS), ERRORS) == 0
    assert margin(step(Sequence(), Split(0, 0, 5, 0), ERRORS), ERRORS) == 0
    assert margin(step(Sequence(), Split(30, 0, 30, 0), ERRORS), Rule(1e-300, {EQUAL + 1: 1.0})) == 1_000
    assert margin(step(Sequence(), Split(10, 0, 10, 0), ERRORS), Rule(exp(-998 * _gain(1)), {EQUAL + 1: 1.0})) == 998
    assert margin(step(Sequence(), Split(10, 0, 10, 0), ERRORS), Rule(exp(-998.5 * _gain(1)), {EQUAL + 1: 1.0})) == 999


def _gain(half_octaves: int) -> float:
    """What one hit of the candidate adds at these odds when both sides have as many requests."""
    odds = 2 ** (half_octaves / 2)
    return log(odds / (0.5 * odds + 0.5)) * (1 - 1e-9)


@pytest.mark.parametrize(
    ("odds", "null", "alternatives"),
    [
        (1.0, 0, {4: 0.1, 8: 0.7, 14: 0.2}),
        (1.01, 1, {4: 0.1, 8: 0.7, 14: 0.2}),
        (2.0, 2, {4: 0.1, 8: 0.7, 14: 0.2}),
        (4.0, 4, {8: 7 / 9, 14: 2 / 9}),
        (16.0, 8, {14: 1.0}),
        (127.0, 14, {14: 1.0}),
        (128.0, 14, {14: 1.0}),
        (500.0, 14, {14: 1.0}),
    ],
)
def test_a_tolerance_moves_the_null_and_keeps_the_alternatives_beyond(
    odds: float, null: int, alternatives: dict[int, float]
) -> None:
    rule = tolerating(ERRORS, odds)
    assert (rule.null, rule.alpha) == (EQUAL + null, ERRORS.alpha)
    assert {index - EQUAL: weight for index, weight in rule.weights.items()} == pytest.approx(alternatives)


def test_nothing_is_worse_than_a_tolerance_without_alternatives() -> None:
    assert repeated(Split(30, 9, 30, 0), 9, tolerating(ERRORS, 500)).decided_after is None


@given(st.lists(st.floats(-700, 700), min_size=1, max_size=30))
def test_log_sum_neither_overflows_nor_loses_the_largest(values: list[float]) -> None:
    most = max(values)
    assert most <= log_sum(values) <= most + log(len(values)) + 1e-9


def test_log_sum_of_nothing_possible_is_impossible() -> None:
    assert log_sum([float("-inf")]) == float("-inf")
    assert log_sum([0.0, 0.0]) == pytest.approx(log(2))


def test_an_overwhelming_e_value_is_shown_as_a_finite_number() -> None:
    point = repeated(Split(100, 100, 100, 0), 40).points[-1]
    assert point.evidence == pytest.approx(exp(100), rel=1e-3)


def test_the_band_has_the_grids_odds_to_four_digits_as_far_as_its_ends() -> None:
    candidate_worse = repeated(Split(50, 3, 50, 1), 2).points[-1]
    assert (candidate_worse.odds, candidate_worse.low, candidate_worse.high) == (2.8284, 0.25, 128.0)
    live_worse = repeated(Split(50, 1, 50, 3), 2).points[-1]
    assert (live_worse.odds, live_worse.low, live_worse.high) == (0.3536, 0.0078, 4.0)
    assert repeated(Split(50, 2, 50, 0), 5).points[-1].low == 1.4142
    assert repeated(Split(50, 0, 50, 2), 5).points[-1].high == 0.7071


def test_the_twenty_fifth_point_drops_every_second_one() -> None:
    window = Split(10, 1, 10, 1)
    every = [20 * number for number in range(1, 25)]
    assert [point.samples for point in repeated(window, 24).points] == every
    assert [point.samples for point in repeated(window, 25).points] == [*every[::2], 500]


def test_an_e_value_of_exactly_the_needed_one_decides() -> None:
    """Without hits the e-value is exactly 1, which is all that a rule with an alpha of 1 needs."""
    rule = Rule(1.0, {EQUAL + 2: 1.0})
    undecided = Split(10, 0, 10, 0)
    assert step(Sequence(), undecided, rule).decided_after == 20
    assert holds(step(Sequence(), undecided, rule), rule)


def test_margin_of_a_decision_that_holds_no_more_is_one() -> None:
    later = step(repeated(Split(30, 1, 30, 0), 9), Split(30, 0, 30, 9), ERRORS)
    assert not holds(later, ERRORS)
    assert margin(later, ERRORS) == 1
