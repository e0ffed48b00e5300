"""The gate end to end: a release that is slower than live, or fails more often, never reaches users; an equal one does.

What spoils the proxy here answers to the load test's question only, so that its other phases take no longer.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.driving import own_cloud
from tests.e2e.gating import HEAD, LOAD, TAKES_S, Gate, judge_releases, other_work, planted
from tests.e2e.rolling import Embedded, Rolled, final, hold, phase, roll, spoiled, start, until, versions_of

ENVIRONMENT = "gate"
OPTIONS = {"load": {"rps": LOAD.rps, "duration_s": LOAD.duration_s, "cold_starts": 0}, "slo": {"p99_ms": None}}


@pytest.fixture
def roll_release(embedded: Embedded, tmp_path: Path) -> Iterator[Any]:
    """Lets the control plane hold a proxy that takes so many seconds for a chat; afterwards the sound one again."""
    sound: list[str] = []

    def release(number: int, seconds: float = TAKES_S, *, fails: bool = False) -> None:
        folder = tmp_path / str(number)
        code = planted(seconds, number, folder / "count" if fails else None)
        sound.append(hold(embedded, spoiled(folder, "proxy/core.py", HEAD, code)))

    try:
        yield release
    finally:
        if sound:
            hold(embedded, sound[0])


def judge_rollouts(embedded: Embedded, roll_release: Any, first: int) -> None:
    """Beside a live version: one that is 20 % slower, one with 2 % errors, and an equal one."""
    good = versions_of(embedded, ENVIRONMENT)["live"]
    roll_release(first, TAKES_S * 1.2)
    slow = stopped(embedded, good)
    assert slow["error"]["code"] == "CanaryWorse"
    assert "slower, limit 20 %" in slow["error"]["message"]

    roll_release(first + 1, fails=True)
    failing = stopped(embedded, good)
    assert failing["error"]["code"] in ("CanaryWorse", "SloMissed")
    assert "error" in failing["error"]["message"]

    roll_release(first + 2)
    equal = roll(embedded, ENVIRONMENT, options=OPTIONS)
    assert equal["status"] == "SUCCEEDED", equal.get("error")
    evidence = phase(equal, "load_test")["evidence"]
    assert evidence["compared_with"] == f"version {good}, in the same seconds"
    assert {each["verdict"] for each in evidence["comparisons"]} <= {"NOT_WORSE", "UNDECIDED"}
    shift = phase(equal, "shift_traffic")["evidence"]
    # The load engine splits the traffic that the embedded cloud does not.
    assert all(each["counts"]["candidateinvocations"] for each in shift["judgements"][:-1])
    before, after = (each["comparisons"][0]["worse"]["total"]["live"] for each in (evidence, shift))
    assert after > before
    assert int(versions_of(embedded, ENVIRONMENT)["live"]) > int(good)


def stopped(embedded: Embedded, good: str) -> dict[str, Any]:
    """A deployment that must be rolled back, with users on the good version at every moment."""
    started = start(embedded, ENVIRONMENT, options=OPTIONS)
    ended: dict[str, Any] = until("it ends", lambda: users_stay_on(embedded, good) and final(embedded, started), 600)
    until("the lock is released", lambda: not embedded.client.environment(ENVIRONMENT).get("lock"))
    assert ended["status"] == "FAILED", ended.get("error")  # no user saw it
    assert phase(ended, "load_test")["status"] == "FAILED"
    assert "shift_traffic" not in {row["name"] for row in ended["steps"]}
    assert versions_of(embedded, ENVIRONMENT) == {"live": good, "candidate": good}
    return ended


@pytest.mark.long
def test_through_the_state_machine_a_bad_release_is_stopped_and_an_equal_one_reaches_users(
    embedded: Embedded, roll_release: Any
) -> None:
    embedded.client.put_secret(ENVIRONMENT, embedded.secret())
    roll_release(0)
    first = roll(embedded, ENVIRONMENT, options=OPTIONS)
    assert first["status"] == "SUCCEEDED", first.get("error")
    assert phase(first, "load_test")["evidence"]["comparisons"] == []
    judge_rollouts(embedded, roll_release, 1)


@pytest.mark.long
def test_ten_times_each_on_a_busy_machine(tmp_path: Path) -> None:
    """Phase by phase; once each is in test_phases.py."""
    with own_cloud("gate") as driver, other_work():
        driver.store_secret(ENVIRONMENT)
        gate = Gate(driver, ENVIRONMENT, tmp_path)
        good = gate.publish()
        gate.go_live(good)
        for _ in range(10):
            good = judge_releases(gate, good)


def users_stay_on(embedded: Embedded, version: str) -> bool:
    assert versions_of(embedded, ENVIRONMENT)["live"] == version
    return True


@pytest.mark.long
def test_more_workers_than_an_inline_map_takes_share_one_load(rolled: Rolled) -> None:
    """41 Lambdas under a Distributed Map, each with a request every few seconds; what they say becomes one run."""
    options = {"load": {"workers": 41, "rps": 10, "duration_s": 60, "cold_starts": 0}}
    deployment = roll(rolled.embedded, rolled.environment, config={"memory_mb": 576}, options=options)
    evidence = phase(deployment, "load_test")["evidence"]
    assert evidence["workers"] == 41, deployment.get("error")
    assert evidence["due"] == 600
    assert evidence["sent"] + evidence["unsent"] == 600
    runs = rolled.embedded.boto("stepfunctions").list_map_runs(executionArn=deployment["execution_arn"])["mapRuns"]
    assert len(runs) == 1
    counted = rolled.embedded.boto("stepfunctions").describe_map_run(mapRunArn=runs[0]["mapRunArn"])["itemCounts"]
    assert (counted["total"], counted["succeeded"], counted["failed"]) == (41, 41, 0)
