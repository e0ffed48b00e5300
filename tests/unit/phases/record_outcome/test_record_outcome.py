"""Every ending is recorded as it was, and releases the environment."""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import timedelta
from typing import Any, cast

import pytest
from chalicelib.domain.codec import encode
from chalicelib.domain.config import Config, Throttle, Webhook
from chalicelib.domain.errors import LockLost
from chalicelib.domain.evidence.artifact import ArtifactEvidence
from chalicelib.domain.evidence.handoff import HandoffEvidence
from chalicelib.domain.evidence.outcome import OutcomeEvidence
from chalicelib.domain.evidence.release import ReleaseEvidence, RollBackEvidence, ShiftEvidence
from chalicelib.domain.evidence.stack import SettingsEvidence, StackEvidence
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
from chalicelib.domain.options import Options
from chalicelib.engine.phase import OfPhase, Results, Status
from chalicelib.phases.record_outcome import run as record_outcome

from tests.fakes import FakeAws
from tests.fakes.endpoint import reply
from tests.fakes.requests import HELD, request, results
from tests.fakes.standing import stand


def released(version: str = "7", *others: OfPhase) -> Results:
    artifact, handoff = ArtifactEvidence(digest="abc"), HandoffEvidence(links={"base_url": "u"})
    return results(ReleaseEvidence(version=version), artifact, handoff, *others)


DOCUMENTS = {"handoff": "deployments/d-new/handoff", "report": "deployments/d-new/report"}
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
    defaults: dict[str, Any] = {"environment": stands, "results": released()}
    record_outcome.run(request(**defaults | other), aws.as_aws())
    return aws.records.deployment("d-new")


def test_a_good_deploy_becomes_live_and_last_good_and_unlocks() -> None:
    aws = world()
    phase(aws, 6, "release_code", PhaseStatus.SUCCEEDED, evidence={"version": "7"})
    end = ended(aws)
    environment = aws.records.environment("dev")
    assert (end.status, end.summary) == (DeploymentStatus.SUCCEEDED, "Version 7 serves all traffic")
    assert environment.lock is None
    assert environment.live is not None
    assert environment.live == environment.last_good
    assert (environment.live.version, environment.live.artifact, environment.status) == ("7", "abc", "LIVE")
    assert environment.links == {"base_url": "u"}
    assert end.links == {"base_url": "u", **DOCUMENTS}


def test_a_good_deploy_without_a_handoff_has_no_links() -> None:
    aws = world()
    end = ended(aws, results=results(ReleaseEvidence(version="7")))
    assert (end.links, aws.records.environment("dev").links) == (DOCUMENTS, {})


def test_the_release_before_becomes_the_one_to_roll_back_to() -> None:
    aws = world()
    old = {"version": "6", "deployment_id": "d-old", "at": "2026-01-01", "artifact": "", "config": {}}
    aws.records.attributes["dev"] |= {"live": old, "last_good": old}
    ended(aws)
    previous = aws.records.environment("dev").previous
    assert previous is not None
    assert previous.version == "6"


def test_the_releases_that_passed_are_kept_newest_first_and_each_rollback_goes_further_back() -> None:
    record: dict[str, Any] = {}

    def stands_after(**other: Any) -> Environment:
        aws = world()
        aws.records.attributes["dev"] |= record
        ended(aws, **other)
        record.update(aws.records.attributes["dev"] | {"lock": asdict(HELD)})
        return aws.records.environment("dev")

    for version in ("4", "5", "6", "7"):
        stands = stands_after(results=released(version))
    assert [release.version for release in stands.releases] == ["7", "6", "5", "4"]
    back = results(RollBackEvidence(version="6", release_of="d-new", to="t"))
    stands = stands_after(action=Action.ROLLBACK, results=back)
    pointers = (stands.live, stands.last_good, stands.previous)
    assert [release.version if release else "" for release in pointers] == ["6", "6", "5"]
    assert [release.version for release in stands.releases] == ["7", "6", "5", "4"]


def test_when_every_acting_phase_was_skipped_the_deploy_says_that_nothing_changed() -> None:
    aws = world()
    for number, name in enumerate(
        ("prepare_secret", "package_artifact", "deploy_stack", "configure_monitoring", "release_code"), 2
    ):
        phase(aws, number, name, PhaseStatus.SKIPPED)
    assert ended(aws).summary.startswith("No change")


def test_what_only_the_record_keeps_is_a_change_too_and_named() -> None:
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
    end = ended(aws, config=Config(webhook=Webhook("https://a.example/")))
    assert end.summary.startswith("Kept on record: webhook;")


def test_a_failed_phase_is_the_deployments_error() -> None:
    aws = world()
    error = {"code": "Broken", "message": "it is broken", "remedy": "mend it"}
    phase(aws, 4, "deploy_stack", PhaseStatus.FAILED, error=error, ended_at="2026-01-02T00:00:01")
    end = ended(aws, error={"Error": "PhaseFailed", "Cause": ""})
    assert (end.status, end.error) == (DeploymentStatus.FAILED, error)
    assert "deploy_stack" in end.summary
    assert aws.records.environment("dev").lock is None
    assert aws.records.environment("dev").status == "NEVER_LIVE"


def test_a_lambda_that_died_is_recorded_as_failed_with_the_error_that_step_functions_caught() -> None:
    aws = world()
    phase(aws, 9, "load_test", PhaseStatus.RUNNING, started_at="2026-01-02T00:00:00+00:00")
    end = ended(aws, error=CAUGHT)
    assert end.error is not None
    assert (end.error["code"], end.error["message"]) == (
        "Sandbox.Timedout",
        "load_test ran out of time: Task timed out after 60.00 seconds",
    )
    record = aws.records.recorded["d-new"]["load_test"]
    assert record.status is PhaseStatus.FAILED
    assert record.ended_at


def test_a_failure_after_which_aliases_went_back_is_rolled_back() -> None:
    aws = world()
    phase(aws, 7, "validate_endpoints", PhaseStatus.FAILED, error={"code": "X", "message": "bad"}, ended_at="1")
    moved = {"version": "2", "moved": {"live": "3"}}
    phase(aws, 0, "roll_back", PhaseStatus.SUCCEEDED, summary="Went back: live from 3 to 2", evidence=moved)
    end = ended(aws, error=CAUGHT)
    assert end.status is DeploymentStatus.ROLLED_BACK
    assert "Went back" in end.summary


def test_a_rollback_whose_settings_could_not_follow_has_failed_and_the_record_has_users_where_they_are() -> None:
    aws = world(Action.ROLLBACK)
    old, bad = ({"version": v, "deployment_id": "d", "at": "t", "artifact": "", "config": {}} for v in "23")
    aws.records.attributes["dev"] |= {"live": bad, "last_good": bad, "previous": old}
    phase(aws, 0, "roll_back", PhaseStatus.SUCCEEDED, summary="Went back: live from 3 to 2", ended_at="1")
    error = {"code": "SettingsNotRestored", "message": "the stack still has ThrottleRate 120"}
    phase(aws, 0, "restore_settings", PhaseStatus.FAILED, error=error, ended_at="2")
    back = results(RollBackEvidence(version="2", release_of="d", to="t"))
    end = ended(aws, action=Action.ROLLBACK, results=back, error=CAUGHT)
    assert end.status is DeploymentStatus.FAILED
    assert "the stack still has ThrottleRate 120. Went back: live from 3 to 2" in end.summary
    live = aws.records.environment("dev").live
    assert live is not None
    assert live.version == "2"


def test_a_rollback_that_failed_too_ends_failed_with_the_first_cause() -> None:
    aws = world()
    phase(aws, 7, "validate_endpoints", PhaseStatus.FAILED, error={"code": "First", "message": "a"}, ended_at="1")
    phase(aws, 0, "roll_back", PhaseStatus.FAILED, error={"code": "Second", "message": "b"}, ended_at="2")
    end = ended(aws, error=CAUGHT)
    assert end.status is DeploymentStatus.FAILED
    assert end.error is not None
    assert end.error["code"] == "First"


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


def test_called_twice_the_first_outcome_stands_and_the_lock_goes() -> None:
    aws = world()
    first = ended(aws)
    aws.records.attributes["dev"]["lock"] = {"deployment_id": "d-new", "execution_arn": "", "lease_until": 0.0}
    assert ended(aws, error=CAUGHT) == first
    assert aws.records.environment("dev").lock is None


def test_a_clean_up_forgets_all_that_was_applied() -> None:
    aws = world(Action.CLEANUP)
    aws.records.set_applied("dev", "deploy_stack", Applied("f", "d-old", "1"), holder="d-new")
    phase(aws, 12, "clean_up", PhaseStatus.SUCCEEDED, summary="Nothing is left")
    end = ended(aws, action=Action.CLEANUP)
    environment = aws.records.environment("dev")
    assert end.summary == "Nothing is left"
    assert (environment.status, environment.live, dict(environment.applied)) == ("REMOVED", None, {})


def test_a_revalidation_keeps_its_verdict_and_changes_no_release() -> None:
    aws = world(Action.REVALIDATE)
    ended(aws, action=Action.REVALIDATE)
    environment = aws.records.environment("dev")
    assert environment.last_revalidation == {
        "at": "2026-01-02T03:04:05.000+00:00",
        "verdict": "GOOD",
        "deployment_id": "d-new",
    }
    assert environment.live is None


def test_history_says_who_did_what_and_why() -> None:
    aws = world(caller="arn:aws:iam::1:user/ann")
    ended(aws, options=Options(reason="a hot fix"))
    entry = aws.records.history("dev", 1)[0]
    assert (entry["who"], entry["why"], entry["outcome"]) == ("arn:aws:iam::1:user/ann", "a hot fix", "SUCCEEDED")


def revalidated(
    aws: FakeAws, *, good: bool, number: int, code: str = "Drift", evidence: dict[str, Any] | None = None
) -> Deployment:
    """One more revalidation of dev, ended."""
    deployment_id = f"d-{number}"
    lock = Lock(deployment_id, "arn", HELD.lease_until)
    running = Deployment(
        deployment_id, "dev", Action.REVALIDATE, DeploymentStatus.RUNNING, Config(), Options(), "2026-01-02"
    )
    aws.records.start(running, lock, None, None)
    if not good:
        error = {"code": code, "message": "bad"}
        broken = PhaseRecord(0, "check_drift", PhaseStatus.FAILED, error=error, ended_at="1", evidence=evidence or {})
        aws.records.put_phase(deployment_id, broken)
    ending = request(
        deployment_id=deployment_id,
        environment=aws.records.environment("dev"),
        action=Action.REVALIDATE,
        error=None if good else CAUGHT,
    )
    record_outcome.run(ending, aws.as_aws())
    return aws.records.deployment(deployment_id)


def incidents(aws: FakeAws) -> list[str]:
    events = [event for number in range(9) for event in aws.records.events(f"d-{number}")]
    return [event["kind"] for event in events if event["kind"].startswith("incident.")]


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


def test_an_incident_has_a_record_with_its_drift_from_its_beginning_to_its_end() -> None:
    aws = FakeAws()
    finding = {"kind": "alarm", "where": "a", "expected": "there", "found": "gone", "severity": "drift"}
    revalidated(aws, good=False, number=0, evidence={"findings": [finding]})
    (opened,), _ = aws.records.incident_page("dev", 9, None)
    assert (opened.opened_by, opened.closed_at, opened.drift[0].found) == ("d-0", None, "gone")
    assert opened.why == "Revalidate failed in check_drift: bad"
    revalidated(aws, good=False, number=1)
    revalidated(aws, good=True, number=2)
    (closed,), _ = aws.records.incident_page("dev", 9, None)
    assert (closed.opened_by, closed.closed_by, closed.drift) == ("d-0", "d-2", opened.drift)
    assert closed.closed_at is not None
    assert "passed" in closed.how
    between = aws.records.history_between("dev", closed.opened_at, closed.closed_at, 9)
    assert [entry["deployment_id"] for entry in between] == ["d-2", "d-1", "d-0"]
    assert between[2]["drift"][0]["where"] == "a"


def test_an_incident_says_since_when_and_why() -> None:
    aws = FakeAws()
    revalidated(aws, good=False, number=0)
    incident = aws.records.environment("dev").incident
    assert incident is not None
    assert (incident["opened_by"], incident["why"]) == ("d-0", "Revalidate failed in check_drift: bad")


def test_a_bad_verdict_says_why() -> None:
    aws = FakeAws()
    revalidated(aws, good=False, number=0)
    verdict = aws.records.environment("dev").last_revalidation
    assert verdict is not None
    assert (verdict["verdict"], verdict["why"]) == ("BAD", "Revalidate failed in check_drift: bad")


def test_a_stopped_revalidation_changes_neither_verdict_nor_incident() -> None:
    aws = FakeAws()
    revalidated(aws, good=True, number=0)
    revalidated(aws, good=False, number=1, code="Aborted")
    environment = aws.records.environment("dev")
    assert environment.last_revalidation is not None
    assert (environment.last_revalidation["deployment_id"], environment.incident) == ("d-0", None)


def test_repeated_after_a_crash_the_incident_has_the_same_key() -> None:
    """Events are published when they are inserted; the same key again is no insertion."""
    aws = world(Action.REVALIDATE)
    phase(aws, 0, "check_drift", PhaseStatus.FAILED, error={"code": "Drift", "message": "bad"}, ended_at="1")
    before = aws.records.environment("dev")
    for seconds in (0, 30):
        later = request(environment=before, action=Action.REVALIDATE, error=CAUGHT).now + timedelta(seconds=seconds)
        aws.records.started["d-new"] = replace(aws.records.started["d-new"], status=DeploymentStatus.RUNNING)
        aws.records.attributes["dev"]["lock"] = asdict(HELD)
        ended(aws, environment=before, action=Action.REVALIDATE, error=CAUGHT, now=later)
    events = aws.records.events("d-new")
    opened = [(event["at"], event["kind"]) for event in events if event["kind"] == "incident.opened"]
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


def test_a_drill_has_its_own_summary_and_records_no_release() -> None:
    aws = world(Action.DRILL)
    phase(aws, 0, "run_drill", PhaseStatus.SUCCEEDED, summary="all four parts passed")
    assert ended(aws, action=Action.DRILL).summary == "all four parts passed"
    assert aws.records.environment("dev").live is None


def test_a_deploy_that_was_asked_to_stop_in_its_last_phase_is_taken_back_before_it_ends() -> None:
    aws = world(abort_requested=True)
    ending = request(environment=aws.records.environment("dev"), results=released())
    result = record_outcome.run(ending, aws.as_aws())
    assert result.status is Status.IN_PROGRESS
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


def test_a_lambda_that_died_after_recording_its_end_is_named_all_the_same() -> None:
    aws = world(current_phase="preflight")
    phase(aws, 1, "preflight", PhaseStatus.SUCCEEDED)
    assert "after preflight" in ended(aws, error=CAUGHT).summary


def test_the_evidence_is_the_outcome_and_whether_the_environment_was_written() -> None:
    aws = world()
    ending = request(environment=aws.records.environment("dev"), results=released())
    assert record_outcome.run(ending, aws.as_aws()).evidence == OutcomeEvidence("SUCCEEDED", True)
    aws = world()
    aws.records.attributes["dev"]["lock"] = {"deployment_id": "d-other", "execution_arn": "", "lease_until": 0.0}
    ending = request(environment=aws.records.environment("dev"), results=released())
    assert record_outcome.run(ending, aws.as_aws()).evidence == OutcomeEvidence("SUCCEEDED", False)


@pytest.mark.parametrize(
    ("shift", "caught", "changed", "users_saw_it"),
    [
        (None, None, False, False),
        (None, CAUGHT, True, False),
        (ShiftEvidence(), None, False, False),
        (ShiftEvidence(from_version="6"), None, True, False),
        (ShiftEvidence(from_version=""), None, True, False),
        (ShiftEvidence(from_version="6"), CAUGHT, True, True),
    ],
)
def test_history_says_whether_users_were_shifted_and_whether_they_reached_a_failure(
    shift: ShiftEvidence | None, caught: dict[str, str] | None, changed: bool, users_saw_it: bool
) -> None:
    aws = world()
    if shift and shift.from_version is not None:
        phase(aws, 0, "shift_traffic", PhaseStatus.SUCCEEDED)
    ended(aws, results=released("7", *([shift] if shift else [])), error=caught)
    entry = aws.records.history("dev", 1)[0]
    assert (entry["changed"], entry["users_saw_it"]) == (changed, users_saw_it)


def test_history_names_what_differs_from_the_last_good_release() -> None:
    aws = world()
    config = {"memory_mb": 512, "log_level": "INFO", "notify": []}
    good = {"version": "6", "deployment_id": "d", "at": "t", "artifact": "", "config": config}
    aws.records.attributes["dev"] |= {"live": good, "last_good": good}
    ended(aws, config=Config(memory_mb=640, timeout_s=10))
    assert aws.records.history("dev", 1)[0]["diff"] == {"memory_mb": [512, 640], "version": ["6", "7"]}


def test_history_takes_what_only_another_version_understands_for_no_difference() -> None:
    aws = world()
    config = encode(Config(memory_mb=512))
    config = config | {"later": 1, "throttle": {**cast(dict[str, object], config["throttle"]), "later": 1}}
    good = {"version": "6", "deployment_id": "d", "at": "t", "artifact": "", "config": config}
    aws.records.attributes["dev"] |= {"live": good, "last_good": good}
    ended(aws, config=Config(memory_mb=512), results=released("6"))
    assert aws.records.history("dev", 1)[0]["diff"] == {}


def test_ten_releases_stay_on_record() -> None:
    aws = world()
    old = [
        {"version": str(version), "deployment_id": "d", "at": "t", "artifact": "", "config": {}}
        for version in range(20, 9, -1)
    ]
    aws.records.attributes["dev"] |= {"releases": old, "live": old[0], "last_good": old[0]}
    ended(aws, results=released("21"))
    versions = [release.version for release in aws.records.environment("dev").releases]
    assert versions == [str(version) for version in range(21, 11, -1)]


def test_the_same_version_deployed_again_is_the_same_release_with_the_new_configuration() -> None:
    aws = world()
    live = {"version": "7", "deployment_id": "d-old", "at": "t", "artifact": "old", "config": {"memory_mb": 512}}
    older = live | {"version": "6"}
    aws.records.attributes["dev"] |= {"live": live, "last_good": live, "previous": older}
    ended(aws, config=Config(throttle=Throttle(rate_per_s=120)))
    environment = aws.records.environment("dev")
    assert environment.live is not None
    assert environment.live == environment.last_good
    assert (environment.live.deployment_id, environment.live.artifact) == ("d-old", "old")
    assert environment.live.config["throttle"]["rate_per_s"] == 120
    assert environment.previous is not None
    assert environment.previous.version == "6"


def test_a_rollback_goes_live_with_the_release_on_record_or_with_what_roll_back_knows_of_it() -> None:
    recorded = {"version": "6", "deployment_id": "d-6", "at": "t6", "artifact": "a", "config": {"memory_mb": 512}}
    for releases, deployment_id, config in (([recorded], "d-6", {"memory_mb": 512}), ([], "d-back", {})):
        aws = world(Action.ROLLBACK)
        aws.records.attributes["dev"] |= {"releases": releases}
        ended(aws, action=Action.ROLLBACK, results=results(RollBackEvidence("6", release_of="d-back", to="t")))
        live = aws.records.environment("dev").live
        assert live is not None
        assert (live.version, live.deployment_id, live.config) == ("6", deployment_id, config)


@pytest.mark.parametrize(
    ("code", "polls", "status"),
    [
        ("Protected", 1, "LIVE"),
        ("ForeignObjects", 1, "LIVE"),
        ("StackDeleteFailed", 4, "PARTLY_REMOVED"),
        ("Protected", 3, "PARTLY_REMOVED"),
    ],
)
def test_a_clean_up_that_was_refused_leaves_the_environment_as_it_was(code: str, polls: int, status: str) -> None:
    aws = world(Action.CLEANUP)
    aws.records.attributes["dev"]["status"] = "LIVE"
    phase(aws, 12, "clean_up", PhaseStatus.FAILED, error={"code": code, "message": "no"}, ended_at="1", polls=polls)
    ended(aws, action=Action.CLEANUP, error=CAUGHT)
    assert aws.records.environment("dev").status == status


@pytest.mark.parametrize(
    ("answer", "saw_it", "said"),
    [
        (200, False, "Users: still on version 2, healthy"),
        (200, True, "Users: back on version 2, healthy"),
        (503, False, "Users: still on version 2, not healthy: /health answers 503"),
    ],
)
def test_a_failure_says_how_users_are(answer: int, saw_it: bool, said: str) -> None:
    aws = stand(world())
    aws.endpoint.answer = lambda _: reply(answer, {})
    live = {"version": "2", "deployment_id": "d", "at": "t", "artifact": "", "config": {}}
    aws.records.attributes["dev"] |= {"live": live, "last_good": live}
    phase(aws, 7, "validate_endpoints", PhaseStatus.FAILED, error={"code": "X", "message": "bad"}, ended_at="1")
    if saw_it:
        phase(aws, 0, "shift_traffic", PhaseStatus.SUCCEEDED)
    end = ended(aws, results=results(StackEvidence(api_url="https://api.example/api")), error=CAUGHT)
    assert end.summary.endswith(said)


def test_a_cause_that_is_a_whole_sentence_ends_with_one_full_stop() -> None:
    aws = stand(world())
    aws.endpoint.answer = lambda _: reply(200, {})
    live = {"version": "2", "deployment_id": "d", "at": "t", "artifact": "", "config": {}}
    aws.records.attributes["dev"] |= {"live": live, "last_good": live}
    stopped = {"Error": "ExecutionStopped", "Cause": "The execution was stopped from outside."}
    end = ended(aws, results=results(StackEvidence(api_url="https://api.example/api")), error=stopped)
    assert end.summary.endswith(": The execution was stopped from outside. Users: still on version 2, healthy")


def test_a_clean_up_that_was_refused_keeps_the_time_limit() -> None:
    aws = world(Action.CLEANUP)
    aws.records.attributes["dev"] |= {"expires_at": "2999-01-01T00:00:00+00:00"}
    error = {"code": "Protected", "message": "no"}
    phase(aws, 12, "clean_up", PhaseStatus.FAILED, error=error, ended_at="1", polls=1)
    ended(aws, action=Action.CLEANUP)
    assert aws.records.environment("dev").expires_at == "2999-01-01T00:00:00+00:00"


@pytest.mark.parametrize(("mark", "previous", "versions"), [("", "6", ["7", "6"]), ("_2", "", ["7"])])
def test_no_rollback_goes_to_a_release_whose_role_was_deleted(mark: str, previous: str, versions: list[str]) -> None:
    """Its version cannot start: Lambda cannot assume the role that it was published with."""
    aws = world()
    old = {"version": "6", "deployment_id": "d-old", "at": "2026-01-01", "parameters": {"ThrottleRate": "50"}}
    aws.records.attributes["dev"] |= {"live": old, "last_good": old, "releases": [old]}
    ended(aws, results=released("7", SettingsEvidence(parameters={"RoleMark": mark})))
    stands = aws.records.environment("dev")
    assert [release.version for release in stands.releases] == versions
    assert (stands.previous.version if stands.previous else "") == previous


def test_a_failed_deploy_that_made_the_api_again_leaves_the_links_with_the_address_of_now() -> None:
    aws = world()
    aws.records.attributes["dev"] |= {
        "live": {"version": "6"},
        "last_good": {"version": "6"},
        "links": {"base_url": "https://old/api/v1", "health": "https://old/api/health", "logs": "https://console"},
    }
    phase(aws, 7, "validate_endpoints", PhaseStatus.FAILED, error={"code": "ChecksFailed", "message": "m"})
    stack = StackEvidence(base_url="https://new/api/v1", address_before="https://old/api/v1")
    end = ended(aws, results=results(stack))
    assert end.status is DeploymentStatus.FAILED
    assert aws.records.environment("dev").links == {
        "base_url": "https://new/api/v1",
        "health": "https://new/api/health",
        "logs": "https://console",
    }
