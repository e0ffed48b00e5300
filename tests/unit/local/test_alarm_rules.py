"""Alarm states as CloudWatch's documentation tabulates them: datapoints to alarm, and four ways with missing data."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.inside.alarm_rules import ALARM, EXTRA_PERIODS, NO_DATA, OK, Rule, breaches, enough_samples, next_state

RETAINED = "the state before"
# The user guide's tables: points (X is out of bounds, 0 within, - missing), and the state by treatment.
ALL_OF_THREE = {
    "0-X-X": (OK, OK, OK, OK),
    "----0": (OK, OK, OK, OK),
    "-----": (NO_DATA, RETAINED, ALARM, OK),
    "0XX-X": (ALARM, ALARM, ALARM, ALARM),
    "--X--": (ALARM, RETAINED, ALARM, OK),
}
TWO_OF_THREE = {
    "0-X-X": (ALARM, ALARM, ALARM, ALARM),
    "00X0X": (ALARM, ALARM, ALARM, ALARM),
    "0-X--": (OK, OK, ALARM, OK),
    "----0": (OK, OK, ALARM, OK),
    "----X": (ALARM, RETAINED, ALARM, OK),
}
TREATMENTS = ("missing", "ignore", "breaching", "notBreaching")
VALUES = {"X": 2.0, "0": 0.0, "-": None}
CASES = [
    (datapoints, drawn, treatment, expected)
    for datapoints, table in ((3, ALL_OF_THREE), (2, TWO_OF_THREE))
    for drawn, row in table.items()
    for treatment, expected in zip(TREATMENTS, row, strict=True)
]


def rule(datapoints: int, treatment: str, periods: int = 3) -> Rule:
    return Rule("GreaterThanThreshold", 1.0, periods, datapoints, treatment)


@pytest.mark.parametrize(("datapoints", "drawn", "treatment", "expected"), CASES)
def test_a_state_is_what_the_user_guide_says(datapoints: int, drawn: str, treatment: str, expected: str) -> None:
    points = [VALUES[sign] for sign in drawn]
    assert next_state(rule(datapoints, treatment), points, RETAINED) == expected


@given(st.lists(st.sampled_from("X0"), min_size=3 + EXTRA_PERIODS, max_size=3 + EXTRA_PERIODS), st.integers(1, 3))
def test_with_all_data_only_the_last_periods_count(drawn: list[str], datapoints: int) -> None:
    points = [VALUES[sign] for sign in drawn]
    expected = ALARM if drawn[-3:].count("X") >= datapoints else OK
    for treatment in TREATMENTS:
        assert next_state(rule(datapoints, treatment), points, NO_DATA) == expected


@given(st.lists(st.sampled_from("X0-"), min_size=5, max_size=5), st.integers(1, 3))
def test_missing_as_breaching_is_never_calmer_than_missing_as_good(drawn: list[str], datapoints: int) -> None:
    points = [VALUES[sign] for sign in drawn]
    if next_state(rule(datapoints, "notBreaching"), points, OK) == ALARM:
        assert next_state(rule(datapoints, "breaching"), points, OK) == ALARM


@pytest.mark.parametrize(
    ("comparison", "below", "at", "above"),
    [
        ("GreaterThanOrEqualToThreshold", False, True, True),
        ("GreaterThanThreshold", False, False, True),
        ("LessThanThreshold", True, False, False),
        ("LessThanOrEqualToThreshold", True, True, False),
    ],
)
def test_a_comparison_decides_on_both_sides_of_its_threshold(
    comparison: str, below: bool, at: bool, above: bool
) -> None:
    assert [breaches(comparison, value, 1.0) for value in (0.9, 1.0, 1.1)] == [below, at, above]


@pytest.mark.parametrize(
    ("statistic", "fewest"), [("p99", 1_000), ("p90", 100), ("p50", 20), ("p10", 100), ("p99.9", 10_000)]
)
def test_a_percentile_needs_ten_samples_beyond_it(statistic: str, fewest: int) -> None:
    assert not enough_samples(statistic, fewest - 1)
    assert enough_samples(statistic, fewest)


@pytest.mark.parametrize("statistic", ["Average", "Sum", "Maximum", "p100"])
def test_other_statistics_need_no_number_of_samples(statistic: str) -> None:
    assert enough_samples(statistic, 1)
