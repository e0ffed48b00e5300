"""Calls of one function wait for a process of their own up to a ceiling, and never for ever."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from local.inside import workers
from local.inside.workers import Ceilings

PYTHON, PROVIDED = {"Runtime": "python3.11"}, {"Runtime": "provided.al2023"}


class Pool:
    """MiniStack's pool: a process for each call under way, none above `max_concurrency`; and the clock of the test."""

    def __init__(self) -> None:
        self.busy, self.now = 0, 0.0
        self.when_asleep: Callable[[], None] = lambda: None
        self.service = SimpleNamespace(acquire_worker=self.lease)
        workers.install(self.service, Ceilings(), lambda: self.now, self.sleep)

    def lease(
        self, name: str, config: Any, code_zip: bytes, qualifier: str = "$LATEST", max_concurrency: int | None = None
    ) -> tuple[Any, str]:
        if max_concurrency and self.busy >= max_concurrency:
            return None, "func_cap"
        self.busy += 1
        return f"{name}:{qualifier}", "spawn"

    def sleep(self, seconds: float) -> None:
        assert 0 < seconds <= 0.3
        self.now += seconds
        self.when_asleep()

    def call(self, name: str = "proxyctl-APIHandler-1", config: dict[str, str] | None = None) -> str:
        worker, _ = self.service.acquire_worker(name, config or PYTHON, b"", qualifier="3")
        return str(worker)


@pytest.mark.parametrize(("config", "ceiling"), [(PYTHON, 4), (PROVIDED, 16)])
def test_calls_up_to_the_ceiling_start_at_once(config: dict[str, str], ceiling: int) -> None:
    pool = Pool()
    assert [pool.call(config=config) for _ in range(ceiling)] == ["proxyctl-APIHandler-1:3"] * ceiling
    assert pool.now == 0


@pytest.mark.parametrize(("config", "ceiling"), [(PYTHON, 4), (PROVIDED, 16)])
def test_a_call_above_the_ceiling_waits_until_a_process_is_free(config: dict[str, str], ceiling: int) -> None:
    pool = Pool()
    for _ in range(ceiling):
        pool.call(config=config)
    pool.when_asleep = _after(pool, 5, lambda: setattr(pool, "busy", ceiling - 1))
    pool.call(config=config)
    assert 5 <= pool.now < 6
    assert pool.busy == ceiling


def test_after_a_minute_a_process_is_started_all_the_same() -> None:
    pool = Pool()
    for _ in range(5):
        pool.call()
    assert 60 <= pool.now < 61
    assert pool.busy == 5


def test_workers_that_begin_together_never_wait() -> None:
    pool = Pool()
    for _ in range(41):
        pool.call("proxyctl-LoadWorker-1")
    assert (pool.now, pool.busy) == (0, 41)


def _after(pool: Pool, seconds: float, act: Callable[[], None]) -> Callable[[], None]:
    return lambda: act() if pool.now >= seconds else None
