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


def rows(done: int, phases: int) -> list[PhaseRecord]:
    return [
        PhaseRecord(n, "p", PhaseStatus.SKIPPED if n <= done else PhaseStatus.PENDING) for n in range(1, phases + 1)
    ]


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
    assert percent(status, rows(done, 12)) == expected


@pytest.mark.parametrize(("done", "phases", "expected"), [(0, 0, 0), (1, 1, 99), (1, 2, 50), (6, 7, 85)])
def test_percent_is_the_share_of_the_phases_that_ended_well_rounded_down(done: int, phases: int, expected: int) -> None:
    assert percent(DeploymentStatus.RUNNING, rows(done, phases)) == expected


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


def test_a_duration_is_shown_to_the_millisecond() -> None:
    aws = FakeAws()
    deployment_id = started(aws)
    ended = AT.replace(".000", ".123456")
    aws.records.update_deployment(deployment_id, {"started_at": AT, "ended_at": ended, "status": "FAILED"})
    assert ask(aws, deployments.show, id=deployment_id).body["duration_s"] == 0.123


def test_phases_are_numbered_from_one_and_show_their_errors() -> None:
    aws = FakeAws()
    deployment_id = started(aws)
    error = {"code": "Drift", "message": "m"}
    aws.records.put_phase(deployment_id, PhaseRecord(1, "preflight", PhaseStatus.FAILED, started_at=AT, error=error))
    phases = ask(aws, deployments.show, id=deployment_id).body["phases"]
    assert [phase["number"] for phase in phases] == list(range(1, 13))
    assert {phase["name"]: phase.get("error") for phase in phases}["preflight"] == error


def test_steps_beside_the_phases_are_in_the_order_in_which_they_began() -> None:
    aws = FakeAws()
    deployment_id = started(aws)
    for name, hour in (("roll_back", 3), ("make_plan", 1), ("bake", 2)):
        began = AT.replace("T00", f"T0{hour}")
        aws.records.put_phase(deployment_id, PhaseRecord(0, name, PhaseStatus.SUCCEEDED, started_at=began))
    steps = ask(aws, deployments.show, id=deployment_id).body["steps"]
    assert [step["name"] for step in steps] == ["make_plan", "bake", "roll_back"]


def test_an_approvals_task_token_is_not_shown() -> None:
    aws = FakeAws()
    deployment_id = started(aws)
    approval = {"token": "t", "until": "2026-01-02"}
    aws.records.update_deployment(deployment_id, {"status": "WAITING_APPROVAL", "approval": approval})
    assert ask(aws, deployments.show, id=deployment_id).body["approval"] == {"until": "2026-01-02"}
