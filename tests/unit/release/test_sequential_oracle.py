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
    splits = [random_split(chance) for _ in range(3_000)]
    indices = [chance.randrange(len(LOG_ODDS)) for _ in splits]
    ours = [log_likelihoods(split)[index] for split, index in zip(splits, indices, strict=True)]
    tables = [
        (split.candidate_hits, split.candidate + split.live, split.candidate_hits + split.live_hits, split.candidate)
        for split in splits
    ]
    telling = [position for position, table in enumerate(tables) if 0 < table[2] < table[1] and 0 < table[3] < table[1]]
    columns = list(zip(*(tables[position] for position in telling), strict=True))
    odds = [exp(LOG_ODDS[indices[position]]) for position in telling]
    # One call for all of them: scipy takes milliseconds a call.
    ratios = stats.nchypergeom_fisher.pmf(*columns, odds) / stats.hypergeom.pmf(*columns)
    expected = dict(zip(telling, ratios, strict=True))
    assert len(telling) > 2_800
    for position, value in enumerate(ours):
        assert value == pytest.approx(log(expected.get(position, 1.0)), rel=1e-5, abs=1e-6)


def test_an_e_value_has_mean_1_for_an_equal_candidate() -> None:
    """Summed over all outcomes of 300 random windows by scipy's hypergeometric: no rule gains from chance."""
    chance = random.Random(14)
    for number in range(300):
        split = random_split(chance)
        hits, whole = split.candidate_hits + split.live_hits, split.candidate + split.live
        rule = [*RULES.values(), WITHIN][number % 8]
        outcomes = range(max(0, hits - split.live), min(hits, split.candidate) + 1)
        mean = sum(
            share * exp(log_evidence(log_likelihoods(Split(split.candidate, count, split.live, hits - count)), rule))
            for count, share in zip(outcomes, stats.hypergeom.pmf(outcomes, whole, hits, split.candidate), strict=True)
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
