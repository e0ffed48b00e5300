"""A key's age counts whole days, and the limit itself is not too old."""

from __future__ import annotations

from datetime import timedelta

import pytest
from chalicelib.phases.prepare_secret.age import age_days, is_old, warnings

from tests.fakes.requests import NOW


@pytest.mark.parametrize(
    ("elapsed", "days"),
    [
        (timedelta(0), 0),
        (timedelta(days=1, seconds=-1), 0),
        (timedelta(days=1), 1),
        (timedelta(days=2, seconds=-1), 1),
        (timedelta(days=90), 90),
    ],
)
def test_a_day_counts_once_it_is_over(elapsed: timedelta, days: int) -> None:
    assert age_days(NOW - elapsed, NOW) == days


def test_an_unknown_time_of_change_is_no_age() -> None:
    assert age_days(None, NOW) == 0


@pytest.mark.parametrize(("age", "old"), [(89, False), (90, False), (91, True)])
def test_a_key_is_old_past_its_maximum_age(age: int, old: bool) -> None:
    assert is_old(age, 90) is old
    assert bool(warnings(age, 90)) is old
