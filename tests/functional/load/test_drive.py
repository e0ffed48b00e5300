"""A worker of a distributed run: from the plan in S3 to its shard there, with live figures and an ear for the stop."""

from __future__ import annotations

import time

from chalicelib.domain.config import Config
from chalicelib.domain.model import Action, Deployment, DeploymentStatus
from chalicelib.domain.names import Names
from chalicelib.domain.options import Options
from chalicelib.load import drive, plans, shard
from chalicelib.load.arrivals import Arrivals
from chalicelib.load.plans import Plan

from tests.fakes.measuring import MeasuredFunctions, MeasuringAws
from tests.functional.load.servers import server


def planned(
    url: str, duration_s: float, *, abort: bool = False, window: tuple[float, float] | None = None
) -> MeasuringAws:
    """A deployment whose plan for three workers lies in S3."""
    aws = MeasuringAws(functions=MeasuredFunctions(Names("dev").function))
    status = DeploymentStatus.RUNNING
    aws.records.started["d-1"] = Deployment(
        "d-1", "dev", Action.DEPLOY, status, Config(), Options(), "2026-01-01T00:00:00+00:00", abort_requested=abort
    )
    plan = Plan(
        url=url,
        method="POST",
        body=b"hello",
        arrivals=Arrivals("constant", 30, duration_s),
        start_at=time.time() + 0.1,
        signed=False,
        window=window or (0.0, duration_s),
        workers=3,
    )
    aws.artifacts.objects[plans.key("d-1")] = plans.dump(plan, 2, plans.prefix("d-1"))
    return aws


def test_three_workers_drive_the_whole_load_once() -> None:
    with server() as (url, observed):
        aws = planned(url, 1)
        for worker in range(3):
            assert drive.run({"deployment_id": "d-1", "worker": worker}, aws.as_aws()) == {"worker": worker}
    keys = aws.artifacts.keys("load/d-1/shard-")
    assert list(keys) == [f"load/d-1/shard-0002-{worker:04d}" for worker in range(3)]
    summary = shard.combine(aws.artifacts.get(key) for key in keys)
    assert (summary.workers, summary.due, summary.good) == (3, 30, 30)
    assert len(observed.times) == 30


def test_live_figures_come_every_second_from_each_worker() -> None:
    with server() as (url, _):
        aws = planned(url, 2.5)
        drive.run({"deployment_id": "d-1", "worker": 1}, aws.as_aws())
    answer = aws.live_figures.of("d-1")
    assert [item["worker"] for item in answer] == [1]
    assert len(aws.live_figures.written) >= 2
    assert answer[0]["good"] > 0
    assert answer[0]["p99_ms"] > 0


def test_a_worker_stops_when_the_deployment_is_asked_to() -> None:
    with server() as (url, _):
        aws = planned(url, 60, abort=True)
        drive.run({"deployment_id": "d-1", "worker": 0}, aws.as_aws())
    summary = shard.combine([aws.artifacts.get("load/d-1/shard-0002-0000")])
    assert summary.stopped
    assert summary.due < 60


def test_a_later_slice_drives_its_own_stretch_and_keeps_its_place() -> None:
    with server() as (url, observed):
        aws = planned(url, 4, window=(3.0, 4.0))
        drive.run({"deployment_id": "d-1", "worker": 0}, aws.as_aws())
    summary = shard.combine([aws.artifacts.get("load/d-1/shard-0002-0000")])
    assert list(summary.by_second) == [3]
    assert len(observed.times) == summary.good == 10
