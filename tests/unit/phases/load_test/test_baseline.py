"""What the candidate is compared with."""

from __future__ import annotations

from typing import Any

import pytest
from chalicelib.checks.target import Target
from chalicelib.domain.config import Config, Throttle
from chalicelib.domain.options import Load
from chalicelib.load.plans import Beside
from chalicelib.phases.load_test.baseline import beside, live_share

VARIABLES: dict[str, Any] = {"public_url": "https://api.example/api", "client_keys": 0}
TARGET = Target("https://api.example/api/_candidate", True, "2", VARIABLES)


def test_live_is_driven_by_the_stages_path() -> None:
    load = Load(rps=20)
    driven = beside(load, Config(), TARGET, "1", 1_000)
    assert driven == (Beside("https://api.example/api", False, 1.0), "version 1, in the same seconds")


@pytest.mark.parametrize(
    ("load", "live", "client_keys", "reason"),
    [
        (Load(baseline="record"), "1", 0, ""),
        (Load(baseline="none"), "1", 0, ""),
        (Load(), "", 0, "there is no good live version yet"),
        (Load(), "2", 0, "version 2 is live itself"),
        (Load(), "1", 1, "live answers only callers with a client key, and the control plane has none"),
    ],
)
def test_without_a_live_version_to_reach_there_is_a_reason(
    load: Load, live: str, client_keys: int, reason: str
) -> None:
    target = Target(TARGET.url, True, "2", {**VARIABLES, "client_keys": client_keys})
    assert beside(load, Config(), target, live, 1_000) == (None, reason)


@pytest.mark.parametrize(
    ("rps", "throttle", "unreserved", "share"),
    [
        (10, 50, 1_000, 1.0),
        (25, 50, 1_000, 1.0),
        (50, 50, 1_000, 0.5),
        # 43 executions for the candidate; ten more requests a second need 40.
        (10, 50, 83, 1.0),
        (10, 50, 63, 0.5),
        (10, 50, 43, 0.0),
        (10, 50, 20, 0.0),
    ],
)
def test_live_leaves_users_half_of_the_throttle_and_the_account_its_concurrency(
    rps: float, throttle: float, unreserved: int, share: float
) -> None:
    config = Config(throttle=Throttle(rate_per_s=throttle))
    assert live_share(Load(rps=rps), config, unreserved) == share


@pytest.mark.parametrize(("unreserved", "is_driven"), [(46, False), (47, True)])
def test_a_tenth_of_the_candidates_requests_is_the_least(unreserved: int, is_driven: bool) -> None:
    driven, reason = beside(Load(rps=10), Config(), TARGET, "1", unreserved)
    assert (driven is not None) == is_driven
    assert is_driven or "too little room" in reason
