"""The sequential test against scipy's distributions, over thousands of random windows."""

from __future__ import annotations

import random
from math import exp, log

import pytest
from chalicelib.domain.evidence.comparison import Split
from chalicelib.release.sequential import LOG_ODDS, RULES, WITHIN, log_evidence, log_likelihoods, tolerating
from scipy import stats

ERRORS = RULES["errors"]


def random_split(chance: random.Random) -> Split:
    """A window of up to 80 requests a side, at any share of hits."""
    candidate, live = chance.randint(0, 80), chance.randint(0, 80)
    share, other = chance.random(), chance.random()
    hits = sum(chance.random() < share for _ in range(candidate))
    return Split(candidate, hits, live, sum(chance.random() < other for _ in range(live)))


def test_the_likelihood_of_3000_random_windows_is_scipys() -> None:
    """Fisher's noncentral hypergeometric distribution relative to the central one."""
    chance = random.Random(13)
    for _ in range(3_000):
        split = random_split(chance)
        hits, whole = split.candidate_hits + split.live_hits, split.candidate + split.live
        index = chance.randrange(len(LOG_ODDS))
        expected = 0.0
        if 0 < hits < whole and split.candidate and split.live:
            odds = exp(LOG_ODDS[index])
            noncentral = stats.nchypergeom_fisher(whole, hits, split.candidate, odds).pmf(split.candidate_hits)
            expected = log(noncentral / stats.hypergeom(whole, hits, split.candidate).pmf(split.candidate_hits))
        assert log_likelihoods(split)[index] == pytest.approx(expected, rel=1e-5, abs=1e-6)


def test_an_e_value_has_mean_1_for_an_equal_candidate() -> None:
    """Summed over all outcomes of 300 random windows by scipy's hypergeometric: no rule gains from chance."""
    chance = random.Random(14)
    for number in range(300):
        split = random_split(chance)
        hits, whole = split.candidate_hits + split.live_hits, split.candidate + split.live
        rule = [*RULES.values(), WITHIN][number % 8]
        outcomes = range(max(0, hits - split.live), min(hits, split.candidate) + 1)
        mean = sum(
            stats.hypergeom(whole, hits, split.candidate).pmf(count)
            * exp(log_evidence(log_likelihoods(Split(split.candidate, count, split.live, hits - count)), rule))
            for count in outcomes
        )
        assert mean == pytest.approx(1.0, rel=1e-6)


@pytest.mark.parametrize("odds", [1.5, 2.0, 4.0, 11.0])
def test_a_tolerated_difference_has_a_mean_of_at_most_1(odds: float) -> None:
    rule = tolerating(ERRORS, odds)
    for true_odds in (1.0, odds * 0.7, odds):
        law = stats.nchypergeom_fisher(100, 20, 50, true_odds)
        mean = sum(
            law.pmf(count) * exp(log_evidence(log_likelihoods(Split(50, count, 50, 20 - count)), rule))
            for count in range(21)
        )
        assert mean <= 1 + 1e-6
