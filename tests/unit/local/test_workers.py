"""Calls of one function wait for their turn above a ceiling, and never for ever."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import pytest

from local.inside import workers
from local.inside.workers import Ceilings

PYTHON, PROVIDED = "python3.11", "provided.al2023"
PATIENCE_S = 30.0


class Cloud:
    """Functions whose calls stay under way until they may end. peak: the most of them at once."""

    def __init__(self, ceilings: Ceilings) -> None:
        self.running, self.peak, self.ended = 0, 0, 0
        self._lock, self.may_end = threading.Lock(), threading.Event()
        self.service = SimpleNamespace(_execute_function=self.execute)
        workers.install(self.service, ceilings)

    def execute(self, func: Any, event: Any) -> Any:
        with self._lock:
            self.running += 1
            self.peak = max(self.peak, self.running)
        assert self.may_end.wait(PATIENCE_S)
        with self._lock:
            self.running -= 1
            self.ended += 1
        return {}

    def call(self, name: str, runtime: str = PYTHON) -> None:
        self.service._execute_function({"FunctionName": name, "Version": "3", "Runtime": runtime}, {})


def peak(cloud: Cloud, calls: list[tuple[str, str]], expected: int) -> int:
    """The most calls that were under way when all were begun and no more came."""
    with ThreadPoolExecutor(len(calls)) as pool:
        pending = [pool.submit(cloud.call, *call) for call in calls]
        until = time.monotonic() + PATIENCE_S
        while cloud.running < expected and time.monotonic() < until:
            time.sleep(0.01)
        time.sleep(0.1)  # for those that should not have come
        cloud.may_end.set()
        for each in pending:
            each.result(PATIENCE_S)
    assert cloud.ended == len(calls)
    return cloud.peak


@pytest.mark.parametrize(
    ("names", "runtime", "expected"),
    [
        (["proxyctl-APIHandler-1"] * 9, PYTHON, 4),
        (["proxyctl-Preflight-1"] * 9, PYTHON, 4),
        ([f"proxyctl-Phase{number}-1" for number in range(12)], PYTHON, 6),
        (["proxyctl-dev-proxy"] * 20, PROVIDED, 16),
        (["proxyctl-LoadWorker-1"] * 20, PYTHON, 20),
    ],
)
def test_calls_above_the_ceiling_wait_until_others_have_ended(names: list[str], runtime: str, expected: int) -> None:
    cloud = Cloud(Ceilings(together=6, patience_s=PATIENCE_S))
    assert peak(cloud, [(name, runtime) for name in names], expected) == expected


def test_the_api_answers_while_phases_wait() -> None:
    cloud = Cloud(Ceilings(together=2, patience_s=PATIENCE_S))
    phases = [(f"proxyctl-Phase{number}-1", PYTHON) for number in range(5)]
    assert peak(cloud, [*phases, ("proxyctl-APIHandler-1", PYTHON)], 3) == 3


def test_a_call_that_has_waited_long_begins_all_the_same() -> None:
    cloud = Cloud(Ceilings(patience_s=0.0))
    assert peak(cloud, [("proxyctl-APIHandler-1", PYTHON)] * 7, 7) == 7


def test_a_call_within_a_call_has_its_turn_already() -> None:
    service = SimpleNamespace()
    calls: list[str] = []

    def execute(func: Any, event: Any) -> Any:
        calls.append(func["Version"])
        return service._execute_function({**func, "Version": "again"}, event) if func["Version"] == "3" else {}

    service._execute_function = execute
    workers.install(service, Ceilings(python=1, together=1, patience_s=PATIENCE_S))
    service._execute_function({"FunctionName": "proxyctl-Preflight-1", "Version": "3", "Runtime": PYTHON}, {})
    assert calls == ["3", "again"]


def process(*, in_use: bool = False, last_used: float = 10.0) -> Any:
    return SimpleNamespace(in_use=in_use, last_used=last_used)


ALIASES = {
    "live": {"FunctionVersion": "7", "RoutingConfig": {"AdditionalVersionWeights": {"8": 0.5}}},
    "candidate": {"FunctionVersion": "9"},
}


@pytest.mark.parametrize(
    ("version", "processes", "ends"),
    [
        ("6", [process()], True),
        ("6", [process(), process()], True),
        ("6", [process(), process(in_use=True)], False),
        ("6", [process(last_used=99.0)], True),
        ("6", [process(last_used=100.0)], False),
        ("7", [process()], False),
        ("8", [process()], False),
        ("9", [process()], False),
        ("$LATEST", [process()], False),
    ],
)
def test_only_idle_processes_of_versions_that_no_alias_points_to_end(
    version: str, processes: list[Any], ends: bool
) -> None:
    key = f"1:eu:f:{version}"
    functions = {("1", "eu", "f"): {"aliases": ALIASES}, ("1", "eu", "other"): {"aliases": {}}}
    assert list(workers.replaced({key: processes}, functions, 100.0)) == ([key] if ends else [])
    assert list(workers.replaced({key: processes}, {}, 100.0)) == []


def test_the_reaper_ends_them_before_its_own() -> None:
    old, live = process(), process()
    killed: list[Any] = []
    runtime = SimpleNamespace(
        _lock=threading.Lock(), _workers={"1:eu:f:6": [old], "1:eu:f:7": [live]}, kill_workers=killed.extend
    )
    functions = SimpleNamespace(_data={("1", "eu", "f"): {"aliases": ALIASES}})
    service = SimpleNamespace(reap_idle_workers=lambda ttl=None: 4, _functions=functions)
    workers.end_replaced(service, runtime, lambda: 71.0)
    assert service.reap_idle_workers() == 5
    assert killed == [old]
    assert runtime._workers == {"1:eu:f:7": [live]}
