"""A summary counts only what was recorded."""

from __future__ import annotations

from dataclasses import asdict

import pytest
from chalicelib.domain.codec import decode_lenient
from chalicelib.domain.nights import Checked, NightSummary, NightVerdict, summarize

COUNTS = ("asked", "started", "good", "healed", "drifted", "failed", "busy", "lost")


def test_counts_that_a_record_lacks_are_zero() -> None:
    summary = asdict(decode_lenient(NightSummary, {"night": "2026-01-02"}))
    assert {name: summary[name] for name in COUNTS} == dict.fromkeys(COUNTS, 0)


def test_each_verdict_is_counted_and_all_but_good_are_listed() -> None:
    checks = [Checked(verdict.value, verdict, f"d-{verdict}") for verdict in NightVerdict]
    summary = asdict(summarize([check.environment for check in checks], checks))
    # A healed environment is good, too.
    assert {name: summary[name] for name in COUNTS} == dict.fromkeys(COUNTS, 1) | {"asked": 6, "started": 6, "good": 2}
    others = [verdict.value for verdict in NightVerdict if verdict is not NightVerdict.GOOD]
    assert summary["which"] == {name: {name: f"d-{name}"} for name in others}


def test_an_environment_without_a_verdict_is_lost_and_not_started() -> None:
    summary = summarize(["dev"], [])
    assert (summary.asked, summary.started, summary.lost) == (1, 0, 1)
    assert summary.which == {"lost": {"dev": ""}}


@pytest.mark.parametrize(("count", "listed"), [(499, 499), (500, 500), (501, 500)])
def test_five_hundred_environments_are_listed_by_verdict_and_all_are_counted(count: int, listed: int) -> None:
    summary = summarize([f"e{number}" for number in range(count)], [])
    assert (summary.lost, len(summary.which["lost"])) == (count, listed)
