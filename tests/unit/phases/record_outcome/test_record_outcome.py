"""Every ending is told as it was, kept, and lets the environment go."""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import timedelta
from typing import Any

import pytest
from chalicelib.domain.config import Config, Options, Webhook
from chalicelib.domain.errors import LockLost
from chalicelib.domain.model import (
    Action,
    Applied,
    Deployment,
    DeploymentStatus,
    Environment,
    Lock,
    PhaseRecord,
    PhaseStatus,
)
from chalicelib.engine.phase import Request, Status
from chalicelib.phases.record_outcome import run as record_outcome

from tests.fakes import FakeAws
from tests.fakes.requests import HELD, request

RELEASED = {
    "release_code": {"version": "7"},
    "package_artifact": {"digest": "abc"},
    "write_handoff": {"links": {"base_url": "u"}},
}
CAUGHT = {"Error": "Sandbox.Timedout", "Cause": '{"errorMessage": "Task timed out after 60.00 seconds"}'}


def world(action: Action = Action.DEPLOY, **other: Any) -> FakeAws:
    aws = FakeAws()
    running = Deployment("d-new", "dev", action, DeploymentStatus.RUNNING, Config(), Options(), "2026-01-02")
    aws.records.start(replace(running, **other), HELD, None, None)
    return aws


def phase(aws: FakeAws, number: int, name: str, status: PhaseStatus, **other: Any) -> None:
    aws.records.put_phase("d-new", PhaseRecord(number, name, status, **other))


def ended(aws: FakeAws, **other: Any) -> Deployment:
    stands = aws.records.environment("dev")
    given: dict[str, Any] = {"environment": stands, "results": RELEASED}
    asked: Request = request(**given | other)
    record_outcome.run(asked, aws.as_aws())
    return aws.records.deployment("d-new")


def test_a_good_deploy_becomes_live_and_last_good_and_unlocks() -> None:
    aws = world()
    phase(aws, 6, "release_code", PhaseStatus.SUCCEEDED, evidence={"version": "7"})
    told = ended(aws)
    environment = aws.records.environment("dev")
    assert (told.status, told.summary) == (DeploymentStatus.SUCCEEDED, "Version 7 serves all traffic")
    assert environment.lock is None
    assert environment.live is not None
    assert environment.live == environment.last_good
    assert (environment.live.version, environment.live.artifact, environment.status) == ("7", "abc", "LIVE")


def test_the_release_before_becomes_the_one_to_roll_back_to() -> None:
    aws = world()
    old = {"version": "6", "deployment_id": "d-old", "at": "2026-01-01", "artifact": "", "config": {}}
    aws.records.attributes["dev"] |= {"live": old, "last_good": old}
    ended(aws)
    previous = aws.records.environment("dev").previous
    assert previous is not None
    assert previous.version == "6"


def test_the_releases_that_passed_are_kept_newest_first_and_each_rollback_goes_further_back() -> None:
    kept: dict[str, Any] = {}

    def stands_after(**other: Any) -> Environment:
        aws = world()
        aws.records.attributes["dev"] |= kept
        ended(aws, **other)
        kept.update(aws.records.attributes["dev"] | {"lock": asdict(HELD)})
        return aws.records.environment("dev")

    for version in ("5", "6", "7"):
        stands = stands_after(results={**RELEASED, "release_code": {"version": version}})
    assert [one.version for one in stands.releases] == ["7", "6", "5"]
    back = {"roll_back": {"version": "6", "release_of": "d-new", "to": "t"}}
    stands = stands_after(action=Action.ROLLBACK, results=back)
    assert [one.version if one else "" for one in (stands.live, stands.last_good, stands.previous)] == ["6", "6", "5"]
    assert [one.version for one in stands.releases] == ["7", "6", "5"]


def test_when_every_acting_phase_was_skipped_the_deploy_says_that_nothing_changed() -> None:
    aws = world()
    for number, name in enumerate(
        ("prepare_secret", "package_artifact", "deploy_stack", "configure_monitoring", "release_code"), 2
    ):
        phase(aws, number, name, PhaseStatus.SKIPPED)
    assert ended(aws).summary.startswith("No change")


def test_what_only_the_record_keeps_is_a_change_too_and_told() -> None:
    aws = world()
    good = {
        "version": "7",
        "deployment_id": "d",
        "at": "t",
        "artifact": "",
        "config": {"webhook": None, "memory_mb": 512},
    }
    aws.records.attributes["dev"] |= {"live": good, "last_good": good}
    for name in ("prepare_secret", "package_artifact", "deploy_stack", "configure_monitoring", "release_code"):
        phase(aws, 2, name, PhaseStatus.SKIPPED)
    told = ended(aws, config=Config(webhook=Webhook("https://a.example/")))
    assert told.summary.startswith("Kept on record: webhook;")


def test_a_failed_phase_is_the_deployments_error() -> None:
    aws = world()
    error = {"code": "Broken", "message": "it is broken", "remedy": "mend it"}
    phase(aws, 4, "deploy_stack", PhaseStatus.FAILED, error=error, ended_at="2026-01-02T00:00:01")
    told = ended(aws, error={"Error": "PhaseFailed", "Cause": ""})
    assert (told.status, told.error) == (DeploymentStatus.FAILED, error)
    assert "deploy_stack" in told.summary
    assert aws.records.environment("dev").lock is None
    assert aws.records.environment("dev").status == "NEVER_LIVE"


def test_a_lambda_that_died_without_a_word_is_recorded_as_failed_with_what_step_functions_saw() -> None:
    aws = world()
    phase(aws, 9, "load_test", PhaseStatus.RUNNING, started_at="2026-01-02T00:00:00+00:00")
    told = ended(aws, error=CAUGHT)
    assert told.error is not None
    assert (told.error["code"], told.error["message"]) == ("Sandbox.Timedout", "Task timed out after 60.00 seconds")
    record = aws.records.recorded["d-new"]["load_test"]
    assert record.status is PhaseStatus.FAILED
    assert record.ended_at


def test_a_failure_after_which_aliases_went_back_is_rolled_back() -> None:
    aws = world()
    phase(aws, 7, "validate_endpoints", PhaseStatus.FAILED, error={"code": "X", "message": "bad"}, ended_at="1")
    phase(aws, 0, "roll_back", PhaseStatus.SUCCEEDED, summary="Went back: candidate from 3 to 2")
    told = ended(aws, error=CAUGHT)
    assert told.status is DeploymentStatus.ROLLED_BACK
    assert "Went back" in told.summary


def test_a_rollback_whose_settings_could_not_follow_has_failed_and_the_record_has_users_where_they_are() -> None:
    aws = world(Action.ROLLBACK)
    old, bad = ({"version": one, "deployment_id": "d", "at": "t", "artifact": "", "config": {}} for one in "23")
    aws.records.attributes["dev"] |= {"live": bad, "last_good": bad, "previous": old}
    phase(aws, 0, "roll_back", PhaseStatus.SUCCEEDED, summary="Went back: live from 3 to 2", ended_at="1")
    error = {"code": "SettingsNotRestored", "message": "the stack still has ThrottleRate 120"}
    phase(aws, 0, "restore_settings", PhaseStatus.FAILED, error=error, ended_at="2")
    back = {"version": "2", "release_of": "d", "to": "t"}
    told = ended(aws, action=Action.ROLLBACK, results={"roll_back": back}, error=CAUGHT)
    assert told.status is DeploymentStatus.FAILED
    assert told.summary.endswith("the stack still has ThrottleRate 120. Went back: live from 3 to 2")
    live = aws.records.environment("dev").live
    assert live is not None
    assert live.version == "2"


def test_a_rollback_that_failed_too_ends_failed_with_the_first_cause() -> None:
    aws = world()
    phase(aws, 7, "validate_endpoints", PhaseStatus.FAILED, error={"code": "First", "message": "a"}, ended_at="1")
    phase(aws, 0, "roll_back", PhaseStatus.FAILED, error={"code": "Second", "message": "b"}, ended_at="2")
    told = ended(aws, error=CAUGHT)
    assert told.status is DeploymentStatus.FAILED
    assert told.error is not None
    assert told.error["code"] == "First"


def test_an_aborted_deployment_ends_aborted() -> None:
    aws = world(abort_requested=True)
    phase(aws, 3, "package_artifact", PhaseStatus.FAILED, error={"code": "Aborted", "message": "asked"}, ended_at="1")
    assert ended(aws, error=CAUGHT).status is DeploymentStatus.ABORTED


def test_an_environment_that_was_taken_over_is_not_written_to() -> None:
    aws = world()
    aws.records.attributes["dev"]["lock"] = {"deployment_id": "d-other", "execution_arn": "", "lease_until": 0.0}
    ended(aws)
    environment = aws.records.environment("dev")
    assert environment.live is None
    assert environment.lock == Lock("d-other", "", 0.0)


def test_called_twice_the_first_word_stands_and_the_lock_goes() -> None:
    aws = world()
    first = ended(aws)
    aws.records.attributes["dev"]["lock"] = {"deployment_id": "d-new", "execution_arn": "", "lease_until": 0.0}
    assert ended(aws, error=CAUGHT) == first
    assert aws.records.environment("dev").lock is None


def test_a_clean_up_forgets_all_that_was_applied() -> None:
    aws = world(Action.CLEANUP)
    aws.records.set_applied("dev", "deploy_stack", Applied("f", "d-old", "1"), holder="d-new")
    phase(aws, 12, "clean_up", PhaseStatus.SUCCEEDED, summary="Nothing is left")
    told = ended(aws, action=Action.CLEANUP)
    environment = aws.records.environment("dev")
    assert told.summary == "Nothing is left"
    assert (environment.status, environment.live, dict(environment.applied)) == ("REMOVED", None, {})


def test_a_revalidation_keeps_its_verdict_and_changes_no_release() -> None:
    aws = world(Action.REVALIDATE)
    ended(aws, action=Action.REVALIDATE)
    environment = aws.records.environment("dev")
    assert environment.last_revalidation is not None
    assert environment.last_revalidation["verdict"] == "GOOD"
    assert environment.live is None


def test_history_says_who_did_what_and_why() -> None:
    aws = world(caller="arn:aws:iam::1:user/ann")
    ended(aws, options=Options(reason="a hot fix"))
    entry = aws.records.history("dev", 1)[0]
    assert (entry["who"], entry["why"], entry["outcome"]) == ("arn:aws:iam::1:user/ann", "a hot fix", "SUCCEEDED")


def revalidated(aws: FakeAws, *, good: bool, number: int, code: str = "Drift") -> Deployment:
    """One more revalidation of dev, ended."""
    made = f"d-{number}"
    held = Lock(made, "arn", HELD.lease_until)
    running = Deployment(made, "dev", Action.REVALIDATE, DeploymentStatus.RUNNING, Config(), Options(), "2026-01-02")
    aws.records.start(running, held, None, None)
    if not good:
        broken = PhaseRecord(0, "check_drift", PhaseStatus.FAILED, error={"code": code, "message": "bad"}, ended_at="1")
        aws.records.put_phase(made, broken)
    asked = request(
        deployment_id=made,
        environment=aws.records.environment("dev"),
        action=Action.REVALIDATE,
        error=None if good else CAUGHT,
    )
    record_outcome.run(asked, aws.as_aws())
    return aws.records.deployment(made)


def incidents(aws: FakeAws) -> list[str]:
    told = [event for number in range(9) for event in aws.records.events(f"d-{number}")]
    return [event["kind"] for event in told if event["kind"].startswith("incident.")]


def test_an_incident_opens_and_closes_once_however_often_it_is_looked_at() -> None:
    aws = FakeAws()
    for number, good in enumerate((True, False, False, False, True, True)):
        revalidated(aws, good=good, number=number)
        assert (aws.records.environment("dev").incident is None) == good
    assert incidents(aws) == ["incident.opened", "incident.closed"]


@pytest.mark.parametrize(("checks", "closes"), [(PhaseStatus.SUCCEEDED, True), (PhaseStatus.SKIPPED, False)])
def test_a_deploy_that_passed_all_checks_closes_an_incident_and_one_that_skipped_them_does_not(
    checks: PhaseStatus, closes: bool
) -> None:
    aws = FakeAws()
    revalidated(aws, good=False, number=0)
    running = Deployment("d-new", "dev", Action.DEPLOY, DeploymentStatus.RUNNING, Config(), Options(), "2026-01-02")
    aws.records.start(running, HELD, None, None)
    phase(aws, 7, "validate_endpoints", checks)
    ended(aws)
    assert (aws.records.environment("dev").incident is None) is closes


def test_an_incident_says_since_when_and_why() -> None:
    aws = FakeAws()
    revalidated(aws, good=False, number=0)
    incident = aws.records.environment("dev").incident
    assert incident is not None
    assert (incident["opened_by"], incident["why"]) == ("d-0", "Revalidate failed in check_drift: bad")


def test_a_stopped_revalidation_changes_neither_verdict_nor_incident() -> None:
    aws = FakeAws()
    revalidated(aws, good=True, number=0)
    revalidated(aws, good=False, number=1, code="Aborted")
    environment = aws.records.environment("dev")
    assert environment.last_revalidation is not None
    assert (environment.last_revalidation["deployment_id"], environment.incident) == ("d-0", None)


def test_repeated_after_a_crash_the_incident_is_told_under_the_same_key() -> None:
    """Events are told when they are inserted; the same key again is no insertion."""
    aws = world(Action.REVALIDATE)
    phase(aws, 0, "check_drift", PhaseStatus.FAILED, error={"code": "Drift", "message": "bad"}, ended_at="1")
    before = aws.records.environment("dev")
    for seconds in (0, 30):
        later = request(environment=before, action=Action.REVALIDATE, error=CAUGHT).now + timedelta(seconds=seconds)
        aws.records.started["d-new"] = replace(aws.records.started["d-new"], status=DeploymentStatus.RUNNING)
        aws.records.attributes["dev"]["lock"] = asdict(HELD)
        ended(aws, environment=before, action=Action.REVALIDATE, error=CAUGHT, now=later)
    opened = [(one["at"], one["kind"]) for one in aws.records.events("d-new") if one["kind"] == "incident.opened"]
    assert len(opened) == 2
    assert len(set(opened)) == 1


def test_a_removed_environment_has_no_incident_and_no_expiry() -> None:
    aws = world(Action.CLEANUP)
    aws.records.attributes["dev"] |= {"incident": {"opened_at": "t"}, "expires_at": "2026-01-01T00:00:00+00:00"}
    phase(aws, 12, "clean_up", PhaseStatus.SUCCEEDED, summary="Nothing is left")
    ended(aws, action=Action.CLEANUP)
    environment = aws.records.environment("dev")
    assert (environment.incident, environment.expires_at) == (None, None)


def test_a_deploy_keeps_when_its_environment_ends_also_when_it_failed() -> None:
    for caught in (None, CAUGHT):
        aws = world()
        ended(aws, options=Options(ttl_hours=1, remove_secret=True), error=caught)
        environment = aws.records.environment("dev")
        assert environment.expires_at == "2026-01-02T04:04:05+00:00"
        assert environment.at_expiry["remove_secret"] is True


def test_a_drill_tells_its_own_summary_and_keeps_nothing_of_a_release() -> None:
    aws = world(Action.DRILL)
    phase(aws, 0, "run_drill", PhaseStatus.SUCCEEDED, summary="all four parts passed")
    assert ended(aws, action=Action.DRILL).summary == "all four parts passed"
    assert aws.records.environment("dev").live is None


def test_a_deploy_that_was_asked_to_stop_in_its_last_phase_is_taken_back_before_it_ends() -> None:
    aws = world(abort_requested=True)
    asked = request(environment=aws.records.environment("dev"), results=RELEASED)
    told = record_outcome.run(asked, aws.as_aws())
    assert told.status is Status.IN_PROGRESS
    stands = aws.records.environment("dev")
    assert (stands.live, stands.lock, aws.records.history("dev", 9)) == (None, HELD, [])
    # What the state machine says then: rollout.asl.yaml, AbortedAtLast.
    phase(aws, 0, "roll_back", PhaseStatus.SUCCEEDED, summary="Went back: live from 7 to 6")
    end = ended(aws, error={"Error": "Aborted", "Cause": "Asked to stop when all phases had ended"})
    assert (end.status, aws.records.environment("dev").live) == (DeploymentStatus.ABORTED, None)
    assert "Went back" in end.summary


def test_what_another_action_has_done_by_the_time_of_an_abort_is_done() -> None:
    aws = world(Action.REVALIDATE, abort_requested=True)
    assert ended(aws, action=Action.REVALIDATE).status is DeploymentStatus.SUCCEEDED


def test_while_another_execution_ends_the_deployment_this_one_writes_nothing() -> None:
    aws = world()
    before = aws.records.environment("dev")
    aws.records.renew_lock("dev", Lock("d-new", "arn:settling", HELD.lease_until), takes_over=True)
    with pytest.raises(LockLost):
        ended(aws, environment=before)
    assert aws.records.deployment("d-new").status is DeploymentStatus.RUNNING


def test_a_lambda_that_died_once_its_end_was_on_record_is_named_all_the_same() -> None:
    aws = world(current_phase="preflight")
    phase(aws, 1, "preflight", PhaseStatus.SUCCEEDED)
    assert "after preflight" in ended(aws, error=CAUGHT).summary
