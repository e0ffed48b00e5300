"""How many checks run at once: as many as Lambda lets in."""

from __future__ import annotations

import pytest
from chalicelib.checks.places import MOST_AT_ONCE, places
from chalicelib.checks.target import Target, within_limits
from chalicelib.domain.aws.functions import ConcurrencyLimits
from chalicelib.domain.config import Config
from chalicelib.domain.model import Release

from tests.fakes import FakeAws
from tests.fakes.requests import environment, request


@pytest.mark.parametrize(
    ("unreserved", "reserved", "at_once"),
    [
        (1_000, (None, None), MOST_AT_ONCE),
        (12, (None, None), 8),
        (11, (None, None), 7),
        (10, (None, None), 6),  # a new account
        (5, (None, None), 1),
        (0, (None, None), 1),
        (1_000, (8, None), 8),
        (1_000, (7, None), 7),
        (1_000, (1, None), 1),
        (1_000, (100, 3), 3),  # the live release's reservation holds until the shift
        (10, (8, None), 8),  # what the function has reserved is its own
    ],
)
def test_checks_fit_the_accounts_and_the_functions_concurrency(
    unreserved: int, reserved: tuple[int | None, int | None], at_once: int
) -> None:
    assert places(unreserved, reserved) == at_once


@pytest.mark.parametrize(
    ("new", "live", "at_once"), [(None, None, 6), (4, None, 4), (None, {"reserved_concurrency": 2}, 2), (5, {}, 5)]
)
def test_the_new_and_the_live_configuration_count(
    new: int | None, live: dict[str, object] | None, at_once: int
) -> None:
    aws = FakeAws()
    aws.functions.concurrency = ConcurrencyLimits(10, 10)
    release = None if live is None else Release("1", "d-1", config=live)
    asking = request(environment=environment(live=release), config=Config(reserved_concurrency=new))
    assert within_limits(Target("https://api.example", True, "2"), asking, aws.as_aws()).at_once == at_once
