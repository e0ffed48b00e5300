"""What the views show of records: only what is absent is left out."""

from __future__ import annotations

import pytest
from chalicelib.api import deployments
from chalicelib.api.views import percent
from chalicelib.domain.model import DeploymentStatus, PhaseRecord, PhaseStatus

from tests.fakes import FakeAws
from tests.fakes.calls import ask
from tests.fakes.measuring import MeasuringAws

AT = "2026-01-01T00:00:00.000+00:00"


def started(aws: FakeAws, **body: object) -> str:
    deployment_id: str = ask(aws, deployments.start, {"environment": "dev", **body}).body["id"]
    return deployment_id


def test_a_duration_of_zero_is_shown() -> None:
    aws = FakeAws()
    deployment = started(aws)
    aws.records.update_deployment(deployment, {"started_at": AT, "ended_at": AT, "status": "FAILED"})
    shown = ask(aws, deployments.show, id=deployment).body
    (listed,) = ask(aws, deployments.index).body["deployments"]
    assert (shown["duration_s"], listed["duration_s"]) == (0.0, 0.0)
    assert (shown["abort_requested"], shown["waiting"]) == (False, False)


def test_a_duration_that_is_not_there_yet_is_left_out() -> None:
    aws = FakeAws()
    shown = ask(aws, deployments.show, id=started(aws)).body
    assert not {"duration_s", "started_at", "ended_at", "error", "summary", "current_phase", "approval"} & set(shown)


def test_zero_and_null_of_configuration_and_options_are_shown() -> None:
    """`null` switches a rule off whose default is another, so it must not look as if it was not there."""
    aws = FakeAws()
    options = {"secret_recovery_days": 0, "slo": {"p99_ms": None}, "load": {"cold_starts": 0}}
    shown = ask(aws, deployments.show, id=started(aws, options=options)).body
    assert shown["options"]["secret_recovery_days"] == 0
    assert shown["options"]["load"]["cold_starts"] == 0
    assert shown["options"]["slo"]["p99_ms"] is None
    assert shown["config"]["webhook"] is None


@pytest.mark.parametrize(
    ("status", "done", "expected"),
    [
        (DeploymentStatus.RUNNING, 0, 0),
        (DeploymentStatus.RUNNING, 1, 8),
        (DeploymentStatus.RUNNING, 12, 99),
        (DeploymentStatus.FAILED, 12, 99),
        (DeploymentStatus.SUCCEEDED, 3, 100),
    ],
)
def test_percent_reaches_a_hundred_at_a_good_end_only(status: DeploymentStatus, done: int, expected: int) -> None:
    rows = [PhaseRecord(n, "p", PhaseStatus.SKIPPED if n <= done else PhaseStatus.PENDING) for n in range(1, 13)]
    assert percent(status, rows) == expected


FIGURES = {"second": 3, "due": 90, "sent": 88, "good": 80, "failed": 2, "unsent": 2, "p50_ms": 12.0, "p99_ms": 40.0}


def test_a_running_load_test_is_shown_with_the_figures_of_all_workers() -> None:
    aws = MeasuringAws()
    deployment_id = started(aws)
    aws.records.put_phase(deployment_id, PhaseRecord(9, "load_test", PhaseStatus.RUNNING, started_at=AT))
    assert "load" not in ask(aws, deployments.show, id=deployment_id).body
    aws.live_figures.put(deployment_id, 0, FIGURES)
    aws.live_figures.put(deployment_id, 1, FIGURES | {"second": 4, "p50_ms": 20.0, "p99_ms": None})
    shown = ask(aws, deployments.show, id=deployment_id).body["load"]
    counts = {"second": 4, "workers": 2, "due": 180, "sent": 176, "good": 160, "failed": 4, "unsent": 4}
    assert shown == counts | {"p50_ms": 16.0, "p99_ms": 40.0}


def test_a_load_test_that_has_ended_is_shown_by_its_evidence_only() -> None:
    aws = MeasuringAws()
    deployment_id = started(aws)
    aws.live_figures.put(deployment_id, 0, FIGURES)
    aws.records.put_phase(deployment_id, PhaseRecord(9, "load_test", PhaseStatus.SUCCEEDED, started_at=AT, ended_at=AT))
    assert "load" not in ask(aws, deployments.show, id=deployment_id).body
