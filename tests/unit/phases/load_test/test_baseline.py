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
    driven = beside(load, Config(), TARGET, "1", "", 1_000)
    assert driven == (Beside("https://api.example/api", False, 1.0), "version 1, in the same seconds")


@pytest.mark.parametrize("client_keys", [0, 2])
def test_live_is_driven_beside_the_candidate_where_it_answers_there_with_client_keys_too(client_keys: int) -> None:
    target = Target(TARGET.url, True, "2", {**VARIABLES, "client_keys": client_keys})
    driven = beside(Load(rps=20), Config(), target, "1", TARGET.url + "/_live", 1_000)
    assert driven == (Beside(TARGET.url + "/_live", True, 1.0), "version 1, in the same seconds")


KEYS = "live answers only callers with a client key, and its stack or version has no path for the control plane"


@pytest.mark.parametrize(
    ("load", "live", "client_keys", "reason"),
    [
        (Load(baseline="record"), "1", 0, ""),
        (Load(baseline="none"), "1", 0, ""),
        (Load(), "", 0, "there is no good live version yet"),
        (Load(), "2", 0, "version 2 is live itself"),
        (Load(), "1", 1, KEYS),
    ],
)
def test_without_a_live_version_to_reach_there_is_a_reason(
    load: Load, live: str, client_keys: int, reason: str
) -> None:
    target = Target(TARGET.url, True, "2", {**VARIABLES, "client_keys": client_keys})
    assert beside(load, Config(), target, live, "", 1_000) == (None, reason)


@pytest.mark.parametrize(
    ("rps", "throttle", "unreserved", "share"),
    [
        (10, 50, 1_000, 1.0),
        (25, 50, 1_000, 1.0),
        (50, 50, 1_000, 0.5),
        (46.875, 50, 1_000, 0.533),  # 25 / 46.875 = 0.5333…
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
    assert live_share(Load(rps=rps), config, unreserved, is_apart=False) == share


@pytest.mark.parametrize(("rps", "share"), [(10, 1.0), (25, 1.0), (30, 0.667), (40, 0.25), (50, 0.0), (60, 0.0)])
def test_on_the_candidates_stage_both_sides_share_its_throttle(rps: float, share: float) -> None:
    config = Config(throttle=Throttle(rate_per_s=50))
    assert live_share(Load(rps=rps), config, 1_000, is_apart=True) == share


@pytest.mark.parametrize(("rate", "is_driven"), [(10.99, False), (11.0, True)])
def test_a_comparison_needs_a_tenth_of_the_candidates_requests(rate: float, is_driven: bool) -> None:
    """Beside a candidate with 10 requests a second, the stage leaves 0.99 or 1."""
    config = Config(throttle=Throttle(rate_per_s=rate))
    driven, _ = beside(Load(rps=10), config, TARGET, "1", TARGET.url + "/_live", 1_000)
    assert (driven is not None) == is_driven


@pytest.mark.parametrize(("unreserved", "is_driven"), [(46, False), (47, True)])
def test_a_tenth_of_the_candidates_requests_is_the_least(unreserved: int, is_driven: bool) -> None:
    driven, reason = beside(Load(rps=10), Config(), TARGET, "1", "", unreserved)
    assert (driven is not None) == is_driven
    assert is_driven or "too little room" in reason
