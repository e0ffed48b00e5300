"""The embedded cloud killed in the middle of five rollouts: nobody waits in vain, nothing of it stays, all is said."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ctl.client import ApiError, Client
from installer import demo, deploy, target
from local import cloud, emulator, processes, strict
from local.state import Cloud
from tests.e2e.conftest import ROOT
from tests.e2e.rolling import Embedded, Rolled, chats, final, start, until

FIVE = tuple(f"killed-{letter}" for letter in "abcde")
LIGHT: dict[str, Any] = {
    "load": {"rps": 10, "duration_s": 1, "cold_starts": 0},
    "slo": {"p99_ms": None, "cold_start_ms": None},
    "bake": {"steps": [100], "step_s": 1, "watch_s": 1},
}
_ENDS_S = 1_800.0


@pytest.fixture
def folder(site: cloud.Site) -> Iterator[Path]:
    created = site.folder / "killed"
    created.mkdir(exist_ok=True)
    yield created
    cloud.stop(created)


def installed(folder: Path) -> Embedded:
    """The cloud as the demo starts it, with the control plane and a secret for each of the five."""
    running: Cloud = demo.start_cloud(ROOT, folder, None, strict.OFF)
    os.environ["NO_PROXY"] = "127.0.0.1"
    aws = target.embedded(emulator.session(running.region, running.operator), running.endpoint)
    outputs = deploy.up(ROOT, aws, running.faults_url)
    url = deploy.api_url(aws, outputs)
    embedded = Embedded(running, aws, outputs, url, Client(url, aws.session, aws.region))
    for name in FIVE:
        embedded.client.put_secret(name, embedded.secret())
    return embedded


def under_way(embedded: Embedded, started: list[str]) -> bool:
    """Whether all five are in some phase, and the first of them changes things already."""
    phases = [embedded.client.deployment(each).get("current_phase") for each in started]
    return all(phases) and any(phase not in ("acquire_lock", "preflight") for phase in phases)


def to_its_end(embedded: Embedded, deployment: str) -> dict[str, Any]:
    """The deployment as it ended. A machine that others use, too, may not answer for a while."""

    def ended() -> dict[str, Any] | None:
        try:
            return final(embedded, deployment)
        except ApiError as error:
            if error.status:
                raise
            return None

    end: dict[str, Any] = until(f"{deployment} has ended", ended, _ENDS_S)
    return end


@pytest.mark.long
def test_five_rollouts_whose_cloud_is_killed_come_to_a_true_end(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = installed(folder)
    started = [start(first, name) for name in FIVE]
    until("all five are under way", lambda: under_way(first, started), 600)
    victim = next(process for process in first.cloud.processes if process.name == "emulator")
    os.kill(victim.pid, signal.SIGKILL)

    # Whoever follows a rollout is told, in the time that a client waits for an answer.
    began = time.monotonic()
    with pytest.raises(ApiError) as refused:
        list(first.client.follow(started[0], 600))
    assert refused.value.error.get("remedy")
    assert time.monotonic() - began < 120

    capsys.readouterr()
    second = installed(folder)
    said = capsys.readouterr().err
    assert "its environments, deployments, secrets and records are gone" in said
    assert list(processes.carrying(first.cloud.token)) == []
    assert second.client.environments() == []
    with pytest.raises(ApiError) as unknown:
        second.client.deployment(started[0])
    assert unknown.value.status == 404

    for name in FIVE:
        end = to_its_end(second, start(second, name, options=LIGHT))
        assert (end["status"], end.get("error")) == ("SUCCEEDED", None)
        assert chats(Rolled(second, name, end))
        assert not second.client.environment(name).get("lock")


@pytest.mark.long
def test_a_cloud_that_was_stopped_is_no_lost_one(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    demo.start_cloud(ROOT, folder, None, strict.OFF)
    cloud.stop(folder)
    capsys.readouterr()
    demo.start_cloud(ROOT, folder, None, strict.OFF)
    demo.start_cloud(ROOT, folder, None, strict.OFF)
    assert "gone" not in capsys.readouterr().err
