"""An embedded cloud of this test session's own, beside whatever else runs: own ports, own folder, own keys."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from ctl.client import Client
from installer import deploy, environment, target
from local import cloud, emulator, strict
from local.state import Cloud
from tests.e2e import recorded
from tests.e2e.rolling import Embedded, Rolled, roll

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def site() -> Iterator[cloud.Site]:
    """A folder for one cloud; what runs there is ended when the session ends, however it ends."""
    environment.ensure(ROOT, environment.EMULATOR)
    (ROOT / ".local").mkdir(exist_ok=True)
    os.environ[emulator.CALLS_FILE] = recorded.file_of_this_process()
    _end_orphans()
    with tempfile.TemporaryDirectory(prefix=f"e2e-{os.getpid()}-", dir=ROOT / ".local") as folder:
        created = cloud.Site.of(ROOT, Path(folder))
        try:
            yield created
        finally:
            cloud.stop(created.folder)


def _end_orphans() -> None:
    """Clouds of test sessions that were killed: their folder names a process that is gone."""
    for folder in (ROOT / ".local").glob("e2e-*-*"):
        if not psutil.pid_exists(int(folder.name.split("-")[1])):
            cloud.stop(folder)
            shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def running(site: cloud.Site) -> Cloud:
    """The strict cloud, empty: it refuses what AWS refuses, and delays what AWS delays, by seconds."""
    return cloud.start(site, switches=strict.EVERYDAY)[0]


@pytest.fixture(scope="session")
def embedded(running: Cloud) -> Embedded:
    """The cloud with the control plane deployed, as `bootstrap.py up` deploys it."""
    os.environ["NO_PROXY"] = "127.0.0.1"  # what the SDKs under test read; loopback only
    aws = target.embedded(emulator.session(running.region, running.operator), running.endpoint)
    outputs = deploy.up(ROOT, aws, running.faults_url)
    _no_night_of_its_own(aws)
    url = deploy.api_url(aws, outputs)
    return Embedded(running, aws, outputs, url, Client(url, aws.session, aws.region))


def _no_night_of_its_own(aws: target.Target) -> None:
    """Tests that run at a quarter past three would find their environments busy."""
    scheduler = aws.client("scheduler")
    kept = ("Name", "ScheduleExpression", "FlexibleTimeWindow", "Target")
    nightly = scheduler.get_schedule(Name="proxyctl-nightly")
    scheduler.update_schedule(**{name: nightly[name] for name in kept}, State="DISABLED")


@pytest.fixture(scope="session")
def rolled(embedded: Embedded) -> Rolled:
    """Environment `shop`, rolled once through all phases, for the tests that look at it or go on from it."""
    embedded.client.put_secret("shop", embedded.secret())
    load = {"rps": 50, "duration_s": 3, "cold_starts": 1}
    bounds = {"p99_ms": 15_000, "cold_start_ms": 60_000}
    return Rolled(embedded, "shop", roll(embedded, "shop", options={"load": load, "slo": bounds}))
