"""A version that serves all users, against the record of the one before."""

from __future__ import annotations

import random
from math import exp, log

import pytest
from chalicelib.release.against_record import ERRORS_ALPHA, TIMES_ALPHA, compare, log_evidence, upper_limit
from scipy import stats


def test_2000_random_limits_are_scipys() -> None:
    chance = random.Random(21)
    for _ in range(2_000):
        count = chance.randint(1, 3_000)
        hits = min(count, int(chance.expovariate(1 / 10)))
        alpha = chance.choice([ERRORS_ALPHA, TIMES_ALPHA, 0.05, 0.5])
        expected = 1.0 if hits == count else stats.beta.ppf(1 - alpha, hits + 1, count - hits)
        assert upper_limit(hits, count, alpha) == pytest.approx(max(expected, 1e-6), rel=1e-6)


def test_without_requests_every_rate_is_possible() -> None:
    assert upper_limit(0, 0, 0.001) == upper_limit(3, 3, 0.001) == 1.0
    assert upper_limit(0, 10**9, 0.001) == 1e-6


@pytest.mark.parametrize("limit", [0.001, 0.02, 0.3])
def test_the_e_value_has_a_mean_of_1_at_the_limit_and_less_below(limit: float) -> None:
    def mean(rate: float) -> float:
        return float(sum(stats.binom.pmf(hits, 60, rate) * exp(log_evidence(hits, 60, limit)) for hits in range(61)))

    assert mean(limit) == pytest.approx(1.0, rel=1e-6)
    assert mean(limit / 2) < 1


def test_the_evidence_is_half_of_odds_4_and_half_of_odds_16() -> None:
    expected = 0.5 * 4**3 * (1 + 0.1 * 3) ** -20 + 0.5 * 16**3 * (1 + 0.1 * 15) ** -20
    assert exp(log_evidence(3, 20, 0.1)) == pytest.approx(expected)
    assert log_evidence(5, 5, 1.0) == 0.0
    assert log_evidence(5, 5, 1.5) == 0.0


def test_a_version_that_fails_far_more_often_is_worse_and_one_like_the_record_is_not() -> None:
    assert (ERRORS_ALPHA, TIMES_ALPHA) == (0.0005, 0.000125)
    verdict = compare(100, 1_000, 1, 1_000)
    assert (verdict.is_worse, verdict.needed) == (True, 2_000)
    assert verdict.limit == pytest.approx(stats.beta.ppf(0.9995, 2, 999), rel=1e-6)
    assert compare(100, 1_000, 1, 1_000, 0.1).limit == pytest.approx(stats.beta.ppf(0.9, 2, 999), rel=1e-6)
    assert not compare(1, 1_000, 1, 1_000).is_worse
    assert not compare(0, 0, 1, 1_000).is_worse
    assert not compare(5, 5, 0, 0).is_worse
    assert compare(10**4, 10**4, 1, 10**4).evidence == pytest.approx(exp(100))


def test_the_verdict_changes_at_an_e_value_of_one_over_alpha() -> None:
    hits = next(hits for hits in range(200) if compare(hits, 300, 3, 3_000, 0.001).is_worse)
    assert compare(hits, 300, 3, 3_000, 0.001).evidence >= 1_000
    assert compare(hits - 1, 300, 3, 3_000, 0.001).evidence < 1_000
    assert log_evidence(hits, 300, upper_limit(3, 3_000, 0.001)) >= log(1_000)


def test_an_e_value_between_one_and_two_thousand_is_enough_for_an_alpha_of_a_thousandth() -> None:
    verdict = compare(5, 100, 3, 3_000, 0.001)
    assert verdict.is_worse
    assert verdict.evidence == pytest.approx(1_087, abs=1)
    assert not compare(5, 100, 3, 3_000).is_worse


@pytest.mark.parametrize("hits", [0, 1, 4, 5, 9, 40])
def test_the_margin_is_the_smallest_change_that_changes_the_verdict(hits: int) -> None:
    verdict = compare(hits, 100, 3, 3_000, 0.001)
    sign = -1 if verdict.is_worse else 1
    assert verdict.margin >= 1
    for change in range(verdict.margin):
        assert compare(hits + sign * change, 100, 3, 3_000, 0.001).is_worse == verdict.is_worse
    assert compare(hits + sign * verdict.margin, 100, 3, 3_000, 0.001).is_worse != verdict.is_worse


def test_a_margin_that_no_number_of_hits_reaches_ends_at_1000() -> None:
    assert compare(0, 10, 5, 5).margin == 1_000
