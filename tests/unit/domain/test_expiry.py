"""When an environment's time is over, and what that removes."""

from __future__ import annotations

from datetime import timedelta

import pytest
from chalicelib.domain import expiry
from chalicelib.domain.config import Config
from chalicelib.domain.errors import BadRequest
from chalicelib.domain.options import Options

from tests.fakes.requests import NOW, environment, release

LATE = NOW + timedelta(hours=3)


def test_the_deploys_own_limit_goes_before_the_environments() -> None:
    answer = expiry.after_deploy(Config(ttl_hours=10), Options(ttl_hours=2, remove_secret=True), NOW)
    assert answer["expires_at"] == (NOW + timedelta(hours=2)).isoformat()
    assert answer["at_expiry"] == {"remove_secret": True, "secret_recovery_days": 7}
    assert expiry.after_deploy(Config(ttl_hours=10), Options(), NOW)["expires_at"] == "2026-01-02T13:04:05+00:00"


def test_no_limit_changes_nothing_and_zero_takes_one_away() -> None:
    assert expiry.after_deploy(Config(), Options(), NOW) == {}
    assert expiry.after_deploy(Config(ttl_hours=10), Options(ttl_hours=0), NOW)["expires_at"] is None


@pytest.mark.parametrize("hours", [-1, 10_000])
def test_a_limit_out_of_range_is_refused_by_name(hours: float) -> None:
    with pytest.raises(BadRequest) as caught:
        Options(ttl_hours=hours)
    assert caught.value.field == "options.ttl_hours"


def test_an_environment_expires_at_its_time_and_a_protected_one_never() -> None:
    expires = NOW.isoformat()
    assert expiry.has_expired(environment(expires_at=expires), NOW)
    assert not expiry.has_expired(environment(expires_at=expires), NOW - timedelta(seconds=1))
    assert not expiry.has_expired(environment(), LATE)
    guarded = release("1")
    protected = environment(expires_at=expires, live=type(guarded)("1", "d", "t", config={"protected": True}))
    assert not expiry.has_expired(protected, LATE)


def test_one_expiry_has_one_key_and_a_new_one_another() -> None:
    item, other = environment(expires_at="a"), environment(expires_at="b")
    assert expiry.key(item) == expiry.key(item) != expiry.key(other)


def test_a_clean_up_that_failed_comes_again_tomorrow_and_a_good_one_ends_it() -> None:
    over = environment(expires_at=NOW.isoformat())
    assert expiry.after_clean_up(over, LATE, good=False) == {"expires_at": (LATE + timedelta(days=1)).isoformat()}
    assert expiry.after_clean_up(over, LATE, good=True) == {"expires_at": None, "at_expiry": None}
    assert expiry.after_clean_up(environment(), LATE, good=False) == {}
