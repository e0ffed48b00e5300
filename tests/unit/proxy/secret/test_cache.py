"""The secret in force, over time and failures."""

import json
from dataclasses import dataclass, field

import pytest

from proxy.clock import Clock
from proxy.errors import ProxyError
from proxy.secret.cache import RETRY_AFTER_FAILURE_S, SecretCache
from proxy.secret.store import SecretUnreadable


@dataclass
class World:
    """A clock that a test moves, a store that a test breaks, and what was reported."""

    now: float = 1000.0
    key: str = "k1"
    text: str = ""
    broken: bool = False
    reads: int = 0
    reports: list[str] = field(default_factory=list)

    def read(self) -> tuple[str, str]:
        self.reads += 1
        if self.broken:
            raise SecretUnreadable("no")
        return self.text or json.dumps({"schema": 1, "api_key": self.key}), f"v{self.reads}"

    def cache(self) -> SecretCache:
        return SecretCache(self, 100.0, Clock(wall=lambda: self.now), self.reports.append)


@dataclass
class Buggy:
    """A store with a bug that shows when the world breaks; its message holds a value."""

    world: World

    def read(self) -> tuple[str, str]:
        if self.world.broken:
            raise ZeroDivisionError("sk-SECRET")
        return self.world.read()


def test_the_secret_is_read_once_within_its_time_to_live() -> None:
    world = World()
    cache = world.cache()
    for _ in range(5):
        assert cache.get().upstream.api_key == "k1"
    world.now += 99.0
    cache.get()
    assert world.reads == 1


def test_it_is_read_again_when_it_is_old() -> None:
    world = World()
    cache = world.cache()
    cache.get()
    world.now, world.key = world.now + 100.0, "k2"
    assert (cache.get().upstream.api_key, cache.get().version_id, world.reads) == ("k2", "v2", 2)


def test_a_bad_secret_keeps_the_good_one_is_reported_and_is_not_asked_for_at_every_request() -> None:
    world = World()
    cache = world.cache()
    cache.get()
    world.now, world.text = world.now + 100.0, "{"
    for _ in range(5):
        assert cache.get().upstream.api_key == "k1"
    assert (world.reads, world.reports) == (2, ["the secret is not JSON"])
    world.now, world.text, world.key = world.now + RETRY_AFTER_FAILURE_S, "", "k2"
    assert cache.get().upstream.api_key == "k2"


@pytest.mark.parametrize(
    "text",
    [
        "[" * 60_000,
        '{"schema": 1, "api_key": "k2", "cors_origins": ["http://[x"]}',
        '{"schema": 1, "api_key": "k2", "base_url": "https://a..b/v1"}',
    ],
)
def test_however_a_secret_is_malformed_the_good_one_stays(text: str) -> None:
    world = World()
    cache = world.cache()
    cache.get()
    world.now, world.text = world.now + 100.0, text
    assert cache.get().upstream.api_key == "k1"
    assert len(world.reports) == 1


def test_even_a_bug_in_reading_the_secret_costs_no_request_and_tells_no_value() -> None:
    world = World()
    cache = SecretCache(Buggy(world), 100.0, Clock(wall=lambda: world.now), world.reports.append)
    cache.get()
    world.now, world.broken = world.now + 100.0, True
    assert cache.get().upstream.api_key == "k1"
    world.now += RETRY_AFTER_FAILURE_S
    cache.refresh_early()
    assert world.reports == ["the secret cannot be decoded: ZeroDivisionError"] * 2


def test_without_any_good_secret_the_answer_is_503_until_there_is_one() -> None:
    world = World(broken=True)
    cache = world.cache()
    for _ in range(3):
        with pytest.raises(ProxyError) as refused:
            cache.get()
        assert refused.value.status == 503
    assert world.reads == 1
    world.broken = False
    world.now += RETRY_AFTER_FAILURE_S
    assert cache.get().upstream.api_key == "k1"


def test_after_a_401_a_changed_key_is_given_and_an_unchanged_one_is_not() -> None:
    world = World()
    cache = world.cache()
    used = {cache.get().upstream.api_key}
    assert cache.replace(used) is None
    world.now += RETRY_AFTER_FAILURE_S
    world.key = "k2"
    replaced = cache.replace(used)
    assert replaced is not None
    assert (replaced.upstream.api_key, world.reads) == ("k2", 3)


def test_a_key_that_another_thread_has_replaced_is_not_read_again() -> None:
    world = World()
    cache = world.cache()
    used = {cache.get().upstream.api_key}
    world.key = "k2"
    assert cache.replace(used) is cache.replace(used)
    assert world.reads == 2


def test_a_key_that_was_refused_before_is_not_given_again() -> None:
    world = World()
    cache = world.cache()
    cache.get()
    world.key = "k2"
    assert cache.replace({"k1", "k2"}) is None


def test_between_two_requests_an_ageing_secret_is_renewed_before_anybody_waits() -> None:
    world = World()
    cache = world.cache()
    cache.get()
    cache.refresh_early()
    world.now += 79.0
    cache.refresh_early()
    assert world.reads == 1
    world.now += 1.0
    cache.refresh_early()
    assert world.reads == 2
