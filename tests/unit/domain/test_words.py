"""Facts about the words of summaries."""

from __future__ import annotations

import pytest
from chalicelib.domain.words import counted


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 alarms"), (1, "1 alarm"), (2, "2 alarms"), (12_345, "12,345 alarms")]
)
def test_only_one_is_singular(count: int, text: str) -> None:
    assert counted(count, "alarm") == text


@pytest.mark.parametrize(("count", "text"), [(1, "1 query"), (2, "2 queries")])
def test_a_noun_in_y_has_its_own_plural(count: int, text: str) -> None:
    assert counted(count, "query") == text
