"""The load test's gate end to end: a release that got slower never reaches users, an equal one does.

What slows the proxy down here answers to the load test's question only, so that its other phases take no longer.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.rolling import Embedded, Rolled, final, hold, phase, roll, spoiled, start, until, versions_of

pytestmark = pytest.mark.long

ENVIRONMENT = "gate"
TAKES_S = 0.4
# 240 samples: a comparison needs 200 on both sides.
OPTIONS = {"load": {"rps": 8, "duration_s": 30, "cold_starts": 0}, "slo": {"slowdown": 0.2, "p99_ms": None}}


@pytest.fixture
def roll_release(embedded: Embedded, tmp_path: Path) -> Iterator[Any]:
    """Lets the control plane hold a proxy that takes so many seconds for a chat; afterwards the sound one again."""
    sound: list[str] = []

    def release(seconds: float, number: int) -> None:
        head = "        exchange = self._begin(request)\n"
        slow = (
            f'        if b"Say hello" in request.body:\n            __import__("time").sleep({seconds})  # {number}\n'
        )
        sound.append(hold(embedded, spoiled(tmp_path / str(number), "proxy/core.py", head, slow + head)))

    try:
        yield release
    finally:
        if sound:
            hold(embedded, sound[0])


def test_a_release_that_is_a_quarter_slower_is_stopped_and_an_equal_one_reaches_users(
    embedded: Embedded, roll_release: Any
) -> None:
    embedded.client.put_secret(ENVIRONMENT, embedded.secret())
    roll_release(TAKES_S, 1)
    first = roll(embedded, ENVIRONMENT, options=OPTIONS)
    assert first["status"] == "SUCCEEDED", first.get("error")
    good = versions_of(embedded, ENVIRONMENT)["live"]

    roll_release(TAKES_S * 1.25, 2)
    started = start(embedded, ENVIRONMENT, options=OPTIONS)
    told = until("it ends", lambda: users_stay_on(embedded, good) and final(embedded, started), 600)
    until("the lock is released", lambda: not embedded.client.environment(ENVIRONMENT).get("lock"))
    assert (told["status"], told["error"]["code"]) == ("ROLLED_BACK", "SloMissed"), told.get("error")
    slow = phase(told, "load_test")
    assert slow["status"] == "FAILED"
    judged = next(one for one in slow["evidence"]["slos"] if one["slo"] == "slowdown")
    assert (judged["verdict"], judged["bound"]) == ("FAILED", 0.2)
    low, high = judged["interval"]
    assert 0.05 < low <= judged["figure"] <= high
    assert "median slower by " in told["error"]["message"]
    assert "with 95 % confidence) than in the last good run, limit 20 %: fail" in told["error"]["message"]
    assert "shift_traffic" not in {row["name"] for row in told["steps"]}
    assert versions_of(embedded, ENVIRONMENT) == {"live": good, "candidate": good}

    roll_release(TAKES_S, 3)
    equal = roll(embedded, ENVIRONMENT, options=OPTIONS)
    assert equal["status"] == "SUCCEEDED", equal.get("error")
    judged = next(one for one in phase(equal, "load_test")["evidence"]["slos"] if one["slo"] == "slowdown")
    assert judged["verdict"] == "PASSED"
    assert int(versions_of(embedded, ENVIRONMENT)["live"]) > int(good)


def users_stay_on(embedded: Embedded, version: str) -> bool:
    assert versions_of(embedded, ENVIRONMENT)["live"] == version
    return True


def test_more_workers_than_an_inline_map_takes_share_one_load(rolled: Rolled) -> None:
    """41 Lambdas under a Distributed Map, each with a request every few seconds; what they say becomes one run."""
    options = {"load": {"workers": 41, "rps": 10, "duration_s": 60, "cold_starts": 0}}
    told = roll(rolled.embedded, rolled.environment, config={"memory_mb": 576}, options=options)
    evidence = phase(told, "load_test")["evidence"]
    assert evidence["workers"] == 41, told.get("error")
    assert evidence["due"] == 600
    assert evidence["sent"] + evidence["unsent"] == 600
    runs = rolled.embedded.boto("stepfunctions").list_map_runs(executionArn=told["execution_arn"])["mapRuns"]
    assert len(runs) == 1
    counted = rolled.embedded.boto("stepfunctions").describe_map_run(mapRunArn=runs[0]["mapRunArn"])["itemCounts"]
    assert (counted["total"], counted["succeeded"], counted["failed"]) == (41, 41, 0)
