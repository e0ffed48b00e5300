"""Every deployment that ends has a report and a handoff with verdict, cause, users, approver and reason."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

import pytest
from chalicelib.api import deployments
from chalicelib.api.answers import ApiCall, respond
from chalicelib.domain.codec import encode
from chalicelib.domain.config import Config
from chalicelib.domain.errors import AccessDenied
from chalicelib.domain.evidence.outcome import OutcomeEvidence
from chalicelib.domain.evidence.release import ReleaseEvidence
from chalicelib.domain.evidence.stack import StackEvidence
from chalicelib.domain.model import Action, Applied, Deployment, DeploymentStatus, PhaseRecord, PhaseStatus
from chalicelib.domain.options import Options
from chalicelib.phases.record_outcome import run as record_outcome

from tests.fakes import FakeAws
from tests.fakes.requests import HELD, NOW, release, request, results
from tests.fakes.standing import stand

AT = "2026-01-02T03:00:00.000+00:00"
WHO, APPROVER = "arn:aws:iam::1:user/ann", "arn:aws:iam::1:user/bob"
CAUSE = {
    "code": "CheckFailed",
    "message": "9 checks failed with 502: <refused> | twice",
    "remedy": "Mend the upstream.",
}
DIED = {"Error": "Sandbox.Timedout", "Cause": '{"errorMessage": "Task timed out after 60.00 seconds"}'}
STACK = StackEvidence(api_url="https://api1.example/api", base_url="https://api1.example/api/v1", outputs={"a": "b"})


def world(action: Action = Action.DEPLOY, **other: Any) -> FakeAws:
    aws = stand(FakeAws())
    running = Deployment(
        "d-new",
        "dev",
        action,
        DeploymentStatus.RUNNING,
        Config(),
        Options(reason="ticket 7"),
        AT,
        caller=WHO,
        approval={"by": APPROVER, "at": AT},
    )
    aws.records.start(replace(running, **other), HELD, None, None)
    good = encode(release("2"))
    applied = asdict(Applied("f", "d-old", AT, encode(STACK)))
    aws.records.attributes["dev"] |= {"live": good, "last_good": good, "applied_deploy_stack": applied}
    return aws


def end(aws: FakeAws, *records: PhaseRecord, **other: Any) -> tuple[str, str]:
    """Record the outcome; the texts of report and handoff, as the API answers them."""
    for record in records:
        aws.records.put_phase("d-new", record)
    record_outcome.run(request(**{"environment": aws.records.environment("dev")} | other), aws.as_aws())
    return documents(aws)


def documents(aws: FakeAws) -> tuple[str, str]:
    call = ApiCall({"id": "d-new"}, {}, {}, b"", WHO)
    answers = [respond(route, call, aws.as_aws(), lambda: NOW) for route in (deployments.report, deployments.handoff)]
    assert [answer.status for answer in answers] == [200, 200], answers
    report, handoff = (str(answer.body) for answer in answers)
    return report, handoff


def failed(name: str, number: int) -> PhaseRecord:
    return PhaseRecord(number, name, PhaseStatus.FAILED, AT, AT, error=CAUSE)


def rolled_back() -> PhaseRecord:
    evidence = {"version": "2", "moved": {"live": "3"}}
    return PhaseRecord(0, "roll_back", PhaseStatus.SUCCEEDED, AT, AT, "Rolled back", evidence)


# Each way in which a deployment ends: its action, records and error, and what both documents must say.
ENDINGS: dict[str, tuple[Action, dict[str, Any], list[PhaseRecord], dict[str, Any], list[str]]] = {
    "failed at once": (Action.DEPLOY, {}, [failed("preflight", 1)], {}, ["FAILED", "CheckFailed"]),
    "failed later": (Action.DEPLOY, {}, [failed("validate_endpoints", 7)], {}, ["FAILED", "still on version 2"]),
    "rolled back": (Action.DEPLOY, {}, [failed("bake", 0), rolled_back()], {}, ["ROLLED_BACK", "back on version 2"]),
    "aborted": (
        Action.DEPLOY,
        {"abort_requested": True},
        [replace(failed("load_test", 9), error={"code": "Aborted", "message": "was stopped on request"})],
        {},
        ["ABORTED", "was stopped on request"],
    ),
    "died": (
        Action.DEPLOY,
        {},
        [PhaseRecord(9, "load_test", PhaseStatus.RUNNING, AT)],
        {"error": DIED},
        ["FAILED", "load_test ran out of time"],
    ),
    "rotation failed": (Action.ROTATE, {}, [failed("validate_endpoints", 7)], {}, ["FAILED", "rotate"]),
    "revalidation failed": (Action.REVALIDATE, {}, [failed("check_drift", 0)], {}, ["FAILED", "revalidate"]),
    "clean-up refused": (Action.CLEANUP, {}, [failed("clean_up", 12)], {}, ["FAILED", "cleanup"]),
    "cleaned up": (
        Action.CLEANUP,
        {},
        [PhaseRecord(12, "clean_up", PhaseStatus.SUCCEEDED, AT, AT, "Removed 1 thing")],
        {},
        ["SUCCEEDED", "Removed 1 thing"],
    ),
    "planned": (
        Action.PLAN,
        {},
        [PhaseRecord(0, "make_plan", PhaseStatus.SUCCEEDED, AT, AT, "Would run deploy_stack")],
        {},
        ["SUCCEEDED", "Would run deploy_stack"],
    ),
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_every_ending_has_both_documents_with_verdict_reason_and_approver(ending: str) -> None:
    action, deployment, records, other, said = ENDINGS[ending]
    aws = world(action, **deployment)
    for text in end(aws, *records, action=action, **other):
        for fact in [*said, WHO, APPROVER, "ticket 7"]:
            assert fact in text, f"{ending}: {fact}"
    assert aws.records.deployment("d-new").links["report"] == "deployments/d-new/report"


def test_a_failure_names_cause_remedy_and_users_and_shows_the_causes_text_as_text() -> None:
    report, handoff = end(world(), failed("validate_endpoints", 7))
    assert "9 checks failed with 502: &lt;refused&gt; | twice" in report
    assert "<refused>" not in report
    assert "9 checks failed with 502: <refused> \\| twice" in handoff
    for text in (report, handoff):
        assert "Mend the upstream." in text
        assert "still on version 2, healthy" in text


def test_a_first_deploy_that_fails_before_its_stack_has_documents_without_an_address() -> None:
    aws = world()
    del aws.records.attributes["dev"]["applied_deploy_stack"]
    _, handoff = end(aws, failed("preflight", 1))
    assert "Nothing can be called yet" in handoff
    assert "base_url" not in handoff


def test_the_documents_that_write_handoff_wrote_are_replaced_by_those_of_the_end() -> None:
    aws = world()
    aws.artifacts.put("reports/d-new/report.html", b"while it ran", content_type="text/html")
    report, _ = end(aws, failed("clean_up", 12))
    assert "while it ran" not in report


def test_a_bucket_that_takes_no_report_still_ends_the_deployment_and_says_so() -> None:
    aws = world()
    aws.documents.fails = AccessDenied("s3:PutObject was denied")
    aws.records.put_phase("d-new", failed("preflight", 1))
    result = record_outcome.run(request(environment=aws.records.environment("dev")), aws.as_aws())
    ended = aws.records.deployment("d-new")
    assert (ended.status, ended.links) == (DeploymentStatus.FAILED, {})
    assert aws.records.environment("dev").lock is None
    assert isinstance(result.evidence, OutcomeEvidence)
    assert "s3:PutObject was denied" in result.evidence.documents


def test_an_abort_that_came_at_the_last_moment_has_the_documents_of_its_real_end() -> None:
    aws = world()
    good = results(STACK, ReleaseEvidence(version="3"))
    aws.records.update_deployment("d-new", {"abort_requested": True})
    first = record_outcome.run(request(environment=aws.records.environment("dev"), results=good), aws.as_aws())
    assert first.status.value == "IN_PROGRESS"
    error = {"Error": "Aborted", "Cause": "asked to stop"}
    report, _ = end(aws, rolled_back(), error=error, results=good)
    assert "ABORTED" in report


def test_while_a_deployment_runs_its_documents_are_those_of_write_handoff() -> None:
    aws = world()
    call = ApiCall({"id": "d-new"}, {}, {}, b"", WHO)
    missing = respond(deployments.report, call, aws.as_aws(), lambda: NOW)
    assert missing.status == 404
    evidence = {"report.html": "reports/d-new/report.html", "handoff.md": "reports/d-new/handoff.md"}
    aws.records.put_phase("d-new", PhaseRecord(10, "write_handoff", PhaseStatus.SUCCEEDED, AT, AT, evidence=evidence))
    aws.artifacts.put("reports/d-new/report.html", b"<p>", content_type="text/html")
    assert respond(deployments.report, call, aws.as_aws(), lambda: NOW).body == "<p>"
