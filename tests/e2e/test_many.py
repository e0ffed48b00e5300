"""Twenty environments rolled at once, watched by a hundred pollers: no rollout is lost, and none is mixed up."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPException
from typing import Any

import psutil
import pytest

from ctl.client import ApiError, Client
from tests.e2e.rolling import Embedded, phase

pytestmark = pytest.mark.long
COUNT, POLLERS, PATIENCE_S = 20, 100, 1800.0
NAMES = [f"many-{number:02}" for number in range(COUNT)]
FINAL = ("SUCCEEDED", "FAILED", "ROLLED_BACK", "ABORTED")


def body(number: int) -> dict[str, Any]:
    """A deploy that differs from all others in memory and throttle."""
    return {
        "environment": NAMES[number],
        "create": True,
        "config": {"memory_mb": 256 + 32 * number, "throttle": {"rate_per_s": 50 + number, "burst": 100 + number}},
        "options": {
            "load": {"rps": 2, "duration_s": 5, "cold_starts": 0},
            "slo": {"p99_ms": None, "cold_start_ms": None, "error_rate": 0.5},
            "bake": {"steps": [100], "step_s": 1, "watch_s": 1},
            "reason": f"rollout {number}",
        },
    }


class Poller(threading.Thread):
    """Reads one deployment again and again. wrong: answers that spoke of another, or came back from a final state."""

    def __init__(self, embedded: Embedded, deployment_id: str, environment: str, stopped: threading.Event) -> None:
        super().__init__(daemon=True)
        self._client = Client(embedded.api_url, embedded.aws.session, embedded.aws.region)
        self._id, self._environment, self._stopped = deployment_id, environment, stopped
        self.answers, self.lost, self.wrong = 0, 0, list[str]()
        self.last: Mapping[str, Any] = {}

    def run(self) -> None:
        while not self._stopped.is_set():
            try:
                shown = self._client.deployment(self._id)
            except (ApiError, OSError, HTTPException):
                self.lost += 1  # a refused or lost call is tried again, as a person's client does
                self._stopped.wait(2)
                continue
            self.answers += 1
            if (shown["id"], shown["environment"]) != (self._id, self._environment):
                self.wrong.append(f"{self._id}: {shown['id']} of {shown['environment']}")
            if self.last.get("status") in FINAL and shown["status"] != self.last["status"]:
                self.wrong.append(f"{self._id}: {self.last['status']} became {shown['status']}")
            self.last = dict(shown)
            self._stopped.wait(3)


def megabytes(embedded: Embedded) -> float:
    """Resident memory of the emulator and all Lambdas that it runs."""
    emulator = next(item for item in embedded.cloud.processes if item.name == "emulator")
    tree = [psutil.Process(emulator.pid), *psutil.Process(emulator.pid).children(recursive=True)]
    total = 0
    for process in tree:
        try:
            total += process.memory_info().rss
        except psutil.NoSuchProcess:
            continue
    return total / 1e6


def test_twenty_rollouts_at_once_under_a_hundred_pollers_all_end_as_themselves(embedded: Embedded) -> None:
    for name in NAMES:
        embedded.client.put_secret(name, embedded.secret())
    began, stopped = time.monotonic(), threading.Event()
    with ThreadPoolExecutor(COUNT) as pool:
        started = list(pool.map(lambda number: _start(embedded, number), range(COUNT)))
    assert len(set(started)) == COUNT
    pollers = [Poller(embedded, started[number % COUNT], NAMES[number % COUNT], stopped) for number in range(POLLERS)]
    for poller in pollers:
        poller.start()
    peak = 0.0
    while time.monotonic() - began < PATIENCE_S:
        peak = max(peak, megabytes(embedded))
        if all(poller.last.get("status") in FINAL for poller in pollers):
            break
        time.sleep(3)
    took = time.monotonic() - began
    stopped.set()
    for poller in pollers:
        poller.join(60)
    answers = sum(poller.answers for poller in pollers)
    lost = sum(poller.lost for poller in pollers)
    figures = f"{took:.0f} s, {answers} answers and {lost} lost calls, at most {peak:.0f} MB"
    print(f"{COUNT} rollouts, {POLLERS} pollers: {figures}")
    assert [wrong for poller in pollers for wrong in poller.wrong] == []
    for number in range(COUNT):
        _check(embedded, number, started[number])


def _start(embedded: Embedded, number: int) -> str:
    client = Client(embedded.api_url, embedded.aws.session, embedded.aws.region)
    started: str = client.start(body(number), f"many-{number}")["id"]
    return started


def _check(embedded: Embedded, number: int, deployment_id: str) -> None:
    """The deployment ended well, and its record, stack and function hold its own settings and no other's."""
    name, wanted = NAMES[number], body(number)
    answer: Any = embedded.client.deployment(deployment_id)
    assert answer["status"] == "SUCCEEDED", (name, answer["summary"])
    assert answer["options"]["reason"] == f"rollout {number}"
    stands: Any = embedded.client.environment(name)
    assert stands["live"]["deployment_id"] == deployment_id
    assert not stands.get("lock")
    assert stands["live"]["config"]["memory_mb"] == wanted["config"]["memory_mb"]
    version = phase(answer, "release_code")["evidence"]["version"]
    function = embedded.boto("lambda").get_function_configuration(
        FunctionName=f"proxyctl-{name}-proxy", Qualifier=version
    )
    assert function["MemorySize"] == wanted["config"]["memory_mb"]
    assert function["Environment"]["Variables"]["ENVIRONMENT_NAME"] == name
    stack = embedded.boto("cloudformation").describe_stacks(StackName=f"proxyctl-env-{name}")["Stacks"][0]
    parameters = {item["ParameterKey"]: item["ParameterValue"] for item in stack["Parameters"]}
    assert parameters["ThrottleRate"] == str(wanted["config"]["throttle"]["rate_per_s"])
