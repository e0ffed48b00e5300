"""How a deployment ended follows from its phases, from what was caught, and from whether someone asked it to stop."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from chalicelib.domain.model import Action, DeploymentStatus, PhaseRecord, PhaseStatus
from chalicelib.phases.record_outcome.outcome import Outcome, outcome_of, users_saw

CAUGHT = {"Error": "PhaseFailed", "Cause": "it broke"}
WENT_BACK = PhaseRecord(
    0,
    "roll_back",
    PhaseStatus.SUCCEEDED,
    summary="Went back: live from 7 to 6",
    evidence={"version": "6", "moved": {"live": "7"}},
)


def failed(name: str, code: str, *, ended_at: str = "1") -> PhaseRecord:
    error = {"code": code, "message": f"{name} broke"}
    return PhaseRecord(1, name, PhaseStatus.FAILED, error=error, ended_at=ended_at)


def outcome(*records: PhaseRecord, caught: Any = CAUGHT, action: Action = Action.DEPLOY, **other: Any) -> Outcome:
    return outcome_of(action, records, caught, **{"aborted": False} | other)


@pytest.mark.parametrize(
    ("aborted", "code", "back", "status"),
    [
        (True, "Aborted", False, DeploymentStatus.ABORTED),
        (True, "Aborted", True, DeploymentStatus.ABORTED),
        # An abort that came when the deployment had failed already.
        (True, "CheckFailed", False, DeploymentStatus.FAILED),
        (True, "CheckFailed", True, DeploymentStatus.ROLLED_BACK),
        # A phase that stopped although nobody asked the deployment to.
        (False, "Aborted", False, DeploymentStatus.FAILED),
        (False, "Aborted", True, DeploymentStatus.ROLLED_BACK),
        (False, "CheckFailed", False, DeploymentStatus.FAILED),
        (False, "CheckFailed", True, DeploymentStatus.ROLLED_BACK),
    ],
)
def test_aborted_takes_a_request_to_stop_and_a_phase_that_stopped_for_it(
    aborted: bool, code: str, back: bool, status: DeploymentStatus
) -> None:
    records = [failed("bake", code), *([WENT_BACK] if back else [])]
    assert outcome(*records, aborted=aborted).status is status


@pytest.mark.parametrize(("code", "verb"), [("Aborted", "was stopped"), ("CheckFailed", "failed")])
def test_the_summary_says_whether_it_was_stopped_or_failed_and_where(code: str, verb: str) -> None:
    end = outcome(failed("bake", code), WENT_BACK, aborted=True)
    assert end.summary == f"Deploy {verb} in bake: bake broke. Went back: live from 7 to 6"


def test_an_abort_that_the_workflow_caught_is_one_too() -> None:
    """What the state machine says when it is stopped after the last phase: rollout.asl.yaml, AbortedAtLast."""
    end = outcome(caught={"Error": "Aborted", "Cause": "stopped"}, aborted=True, current="bake")
    assert (end.status, end.summary) == (DeploymentStatus.ABORTED, "Deploy was stopped after bake: stopped")
    assert end.error is not None
    assert "resume" in end.error["remedy"]


def test_a_rollback_that_went_back_and_then_failed_is_not_taken_back() -> None:
    end = outcome(WENT_BACK, failed("restore_settings", "X"), action=Action.ROLLBACK)
    assert end.status is DeploymentStatus.FAILED


@pytest.mark.parametrize("status", [PhaseStatus.FAILED, PhaseStatus.RUNNING, PhaseStatus.SKIPPED])
def test_a_roll_back_that_did_not_succeed_takes_nothing_back(status: PhaseStatus) -> None:
    end = outcome(failed("bake", "X"), PhaseRecord(0, "roll_back", status, ended_at="2", summary="tried"))
    said = ". tried" if status is PhaseStatus.FAILED else ""
    assert (end.status, end.summary) == (DeploymentStatus.FAILED, f"Deploy failed in bake: bake broke{said}")


def test_the_first_failure_is_the_cause() -> None:
    end = outcome(failed("roll_back", "Second", ended_at="2"), failed("bake", "First", ended_at="1"))
    assert end.error is not None
    assert end.error["code"] == "First"


def test_a_failure_comes_before_a_phase_that_still_says_running() -> None:
    end = outcome(PhaseRecord(1, "preflight", PhaseStatus.RUNNING), failed("bake", "X"))
    assert end.broken is not None
    assert end.broken.name == "bake"


def test_a_failed_phase_is_a_failure_even_if_the_workflow_caught_nothing() -> None:
    assert outcome(failed("bake", "X"), caught=None).status is DeploymentStatus.FAILED


def test_the_record_of_this_step_itself_decides_nothing() -> None:
    records = [PhaseRecord(0, "record_outcome", status) for status in (PhaseStatus.RUNNING, PhaseStatus.FAILED)]
    assert outcome(*records, caught=None).is_good


@pytest.mark.parametrize(
    ("caught", "code", "message"),
    [
        ({"Error": "E", "Cause": json.dumps({"errorMessage": "timed out"})}, "E", "timed out"),
        ({"Error": "E", "Cause": json.dumps({"other": 1})}, "E", json.dumps({"other": 1})),
        ({"Error": "E", "Cause": "[1]"}, "E", "[1]"),
        ({"Error": "E", "Cause": "plain"}, "E", "plain"),
        ({"Error": "E", "Cause": ""}, "E", "the Lambda ended with E"),
        ({"Error": "E"}, "E", "the Lambda ended with E"),
        ({"Cause": "x"}, "Unknown", "x"),
    ],
)
def test_what_step_functions_caught_is_the_error_of_a_lambda_that_died(
    caught: dict[str, str], code: str, message: str
) -> None:
    end = outcome(PhaseRecord(9, "load_test", PhaseStatus.RUNNING), caught=caught)
    assert end.error is not None
    assert (end.error["code"], end.error["message"]) == (code, message)
    assert end.summary == f"Deploy failed in load_test: {message}"
    assert end.error["remedy"]


@pytest.mark.parametrize(("current", "where"), [("bake", "after bake"), ("", "in the workflow")])
def test_a_failure_of_no_phase_is_placed_by_the_phase_that_began_last(current: str, where: str) -> None:
    assert outcome(current=current).summary == f"Deploy failed {where}: it broke"


@pytest.mark.parametrize("name", ["Sandbox.Timedout", "States.Timeout"])
def test_a_timeout_names_its_phase(name: str) -> None:
    end = outcome(PhaseRecord(9, "load_test", PhaseStatus.RUNNING), caught={"Error": name, "Cause": "after 60 s"})
    assert end.error is not None
    assert end.error["message"] == "load_test ran out of time: after 60 s"


CANDIDATE_ONLY = replace(WENT_BACK, summary="", evidence={"version": "6", "moved": {"candidate": "7"}})


@pytest.mark.parametrize(
    ("records", "saw"),
    [
        ([], False),
        ([CANDIDATE_ONLY], False),
        ([WENT_BACK], True),
        ([PhaseRecord(0, "shift_traffic", PhaseStatus.SKIPPED)], False),
        ([PhaseRecord(0, "shift_traffic", PhaseStatus.SUCCEEDED)], True),
        ([PhaseRecord(0, "shift_traffic", PhaseStatus.FAILED, cursor={"steps_taken": 1})], True),
        ([PhaseRecord(0, "shift_traffic", PhaseStatus.FAILED)], False),
        ([PhaseRecord(0, "apply_settings", PhaseStatus.RUNNING, cursor={"step": "executing"})], True),
        ([PhaseRecord(0, "apply_settings", PhaseStatus.FAILED)], False),
        ([PhaseRecord(0, "apply_settings", PhaseStatus.SKIPPED)], False),
    ],
)
def test_rolled_back_is_only_what_users_saw(records: list[PhaseRecord], saw: bool) -> None:
    assert users_saw(records) is saw
    taken_back = [failed("bake", "X"), *records, *([] if WENT_BACK in records else [CANDIDATE_ONLY])]
    wanted = DeploymentStatus.ROLLED_BACK if saw else DeploymentStatus.FAILED
    assert outcome(*taken_back).status is wanted


def test_the_way_back_is_the_cause_only_when_nothing_before_it_was() -> None:
    assert outcome(PhaseRecord(9, "load_test", PhaseStatus.RUNNING), failed("restore_settings", "X")).broken is not None
    end = outcome(PhaseRecord(9, "load_test", PhaseStatus.RUNNING), failed("restore_settings", "X"))
    assert end.broken is not None
    assert end.broken.name == "load_test"
    alone = outcome(failed("restore_settings", "X"))
    assert alone.broken is not None
    assert alone.broken.name == "restore_settings"


def test_the_summary_ends_with_what_the_ways_back_said_but_for_the_cause_and_the_silent() -> None:
    silent = PhaseRecord(3, "restore_settings", PhaseStatus.SUCCEEDED)
    ended = outcome(failed("bake", "AlarmFired"), WENT_BACK, silent)
    assert ended.summary == "Deploy failed in bake: bake broke. Went back: live from 7 to 6"
    alone = outcome(replace(failed("restore_settings", "X"), summary="said so"))
    assert alone.summary == "Deploy failed in restore_settings: restore_settings broke"
