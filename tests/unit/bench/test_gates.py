"""The simulation of the gate counts as the gate does, and its fixed tests are the textbook's."""

from __future__ import annotations

import random
from math import log

import pytest
from chalicelib.load.histogram import Histogram
from chalicelib.load.windows import slow
from scipy import stats

from bench.gates import figure, fixed
from bench.gates.rollouts import Scenario, split, stopped_after


@pytest.mark.parametrize("slower", [0.0, 0.05, 0.18])
@pytest.mark.parametrize("share", [0.5, 0.99])
def test_the_simulations_windows_are_the_gates_to_the_accuracy_of_a_bucket(share: float, slower: float) -> None:
    chance = random.Random(5)
    for _ in range(20):
        sides = [[chance.lognormvariate(3, 0.5) for _ in range(200)] for _ in range(2)]
        histograms = [Histogram(), Histogram()]
        for side, histogram in zip(sides, histograms, strict=True):
            for ms in side:
                histogram.record(int(ms * 1_000))
        fast, exact = split(sides[0], sides[1], share, slower), slow(histograms[0], histograms[1], share, slower, 0.0)
        assert abs(fast.candidate_hits - exact.candidate_hits) <= 3
        assert abs(fast.live_hits - exact.live_hits) <= 3


def test_one_number_is_one_rollout() -> None:
    failing = Scenario("failing", errors=0.2, metrics=("errors",), per_window=10)
    assert stopped_after(failing, 1) == stopped_after(failing, 1)
    assert len({stopped_after(failing, number) for number in range(9)}) > 1


def test_fisher_s_power_is_scipys() -> None:
    count, alpha = 400, 0.01
    expected = sum(
        stats.binom.pmf(hits, count, 0.02) * stats.binom.pmf(live, count, 0.001)
        for live in range(12)
        for hits in range(60)
        if stats.fisher_exact([[hits, count - hits], [live, count - live]], alternative="greater").pvalue <= alpha
    )
    assert fixed.exact_power(count, 0.02, 0.001, alpha) == pytest.approx(expected, abs=1e-6)


def test_the_z_test_s_size_gives_its_power() -> None:
    """The textbook's example: 0.65 against 0.5, 5 % two-sided, 80 % power: 170 of either side without a correction."""
    assert fixed.z_test(0.65, 0.5, 0.025, 0.8) == 170
    assert fixed.exact_test(0.3, 0.05, 0.01, 0.9, steps=1) > fixed.z_test(0.3, 0.05, 0.01, 0.9) * 0.9


def test_wald_s_bound_is_the_information_against_the_nearest_equal_rates() -> None:
    """scipy's entropy is Kullback and Leibler's; no other common rate is nearer."""
    alpha, pair = 0.01, (0.02, 0.001)

    def information(common: float) -> float:
        return float(sum(stats.entropy([rate, 1 - rate], [common, 1 - common]) for rate in pair))

    assert fixed.least_mean(*pair, alpha) == pytest.approx(log(1 / alpha) / information(0.0105))
    assert all(information(0.0105) <= information(common) for common in (0.001, 0.005, 0.01, 0.011, 0.02, 0.1))


def test_a_figure_has_a_curve_for_each_scenario() -> None:
    drawn = figure.draw({"a & b": [100, 200, None, 400], "c": [None]}, 500, 300, "fixed <test>")
    assert drawn.count("<polyline") == 2
    assert "a &amp; b: 75.00 % stopped" in drawn
    assert "c: 0.00 % stopped" in drawn
    assert "fixed &lt;test&gt;" in drawn
