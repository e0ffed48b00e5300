"""What a person may do to a deployment on its way: abort, approve, resume; and the line before a busy environment."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from chalicelib.api import control, deployments
from chalicelib.api.answers import Answer
from chalicelib.domain.errors import Throttled
from chalicelib.domain.model import Deployment, DeploymentStatus, PhaseRecord, PhaseStatus
from chalicelib.domain.records import Claim
from chalicelib.lifecycle.sweep import sweep

from tests.fakes import FakeAws
from tests.fakes.calls import ANN, NOW, ask, error


def post(aws: FakeAws, environment: str = "dev", after_s: int = 0, **options: Any) -> Answer[Any]:
    body = {"environment": environment, "options": options}
    return ask(aws, deployments.start, body, now=NOW + timedelta(seconds=after_s))


def swept(aws: FakeAws, name: str = "", after_s: int = 0) -> dict[str, Any]:
    event = {"detail": {"name": name}} if name else {}
    return sweep(event, aws.as_aws(), lambda: NOW + timedelta(seconds=after_s))


def ends(aws: FakeAws, deployment_id: str, status: str = "SUCCEEDED") -> None:
    """As record_outcome leaves it."""
    aws.records.update_deployment(deployment_id, {"status": status})
    aws.records.release_lock("dev", deployment_id)
    aws.executions.end(deployment_id, status)


def waiting(aws: FakeAws) -> str:
    started: str = post(aws, approval="required").body["id"]
    aws.executions.waiting.add("token")
    changes = {"status": "WAITING_APPROVAL", "approval": {"token": "token", "until": "tomorrow"}}
    aws.records.update_deployment(started, changes)
    return started


def test_an_abort_is_noted_for_the_next_call_of_any_phase() -> None:
    aws = FakeAws()
    started = post(aws).body["id"]
    assert ask(aws, control.abort, id=started).status == 202
    assert aws.records.deployment(started).abort_requested
    assert aws.records.events(started)[-1]["detail"] == {"by": ANN}


def test_what_has_ended_cannot_be_aborted() -> None:
    aws = FakeAws()
    started = post(aws).body["id"]
    ends(aws, started)
    answer = ask(aws, control.abort, id=started)
    assert (answer.status, error(answer)["code"]) == (409, "AlreadyEnded")


def test_an_abort_while_a_person_is_waited_for_refuses_the_token() -> None:
    aws = FakeAws()
    ask(aws, control.abort, id=waiting(aws))
    assert aws.executions.answered == {"token": {"refused": "Aborted"}}


def test_an_approval_lets_the_execution_go_on_and_says_who_gave_it() -> None:
    aws = FakeAws()
    started = waiting(aws)
    answer = ask(aws, control.approve, id=started)
    assert answer.status == 202
    assert aws.executions.answered["token"]["approved"]["status"] == "SUCCEEDED"
    stands = aws.records.deployment(started)
    assert stands.status is DeploymentStatus.RUNNING
    assert stands.approval["by"] == ANN


def test_the_token_is_never_shown() -> None:
    aws = FakeAws()
    answer = ask(aws, deployments.show, id=waiting(aws)).body
    assert answer["approval"] == {"until": "tomorrow"}


@pytest.mark.parametrize("why", ["running", "answered already"])
def test_only_what_waits_can_be_approved(why: str) -> None:
    aws = FakeAws()
    started = waiting(aws) if why == "answered already" else post(aws).body["id"]
    aws.executions.waiting.clear()
    answer = ask(aws, control.approve, id=started)
    assert (answer.status, error(answer)["code"]) == (409, "NotWaiting")


def test_a_failed_deployment_is_resumed_by_a_new_one_with_the_same_wishes() -> None:
    aws = FakeAws()
    failed = post(aws, reason="a fix", force=True).body["id"]
    ends(aws, failed, "FAILED")
    answer = ask(aws, control.resume, id=failed)
    again = aws.records.deployment(answer.body["id"])
    assert answer.status == 202
    assert (again.resumes, again.options.reason, again.options.force) == (failed, "a fix", False)


@pytest.mark.parametrize(("planned", "kept"), [(PhaseStatus.SUCCEEDED, None), (PhaseStatus.FAILED, "digest")])
def test_a_plan_that_was_carried_out_in_part_is_not_compared_again(planned: PhaseStatus, kept: str | None) -> None:
    aws = FakeAws()
    failed = post(aws, expected_plan="digest").body["id"]
    aws.records.put_phase(failed, PhaseRecord(0, "make_plan", planned))
    ends(aws, failed, "FAILED")
    again = ask(aws, control.resume, id=failed).body["id"]
    assert aws.records.deployment(again).options.expected_plan == kept


def test_what_runs_or_succeeded_is_not_resumed() -> None:
    aws = FakeAws()
    started = post(aws).body["id"]
    assert error(ask(aws, control.resume, id=started))["code"] == "NotResumable"
    ends(aws, started)
    assert error(ask(aws, control.resume, id=started))["code"] == "NotResumable"


def test_who_is_willing_to_wait_stands_in_line_and_is_started_in_order() -> None:
    aws = FakeAws()
    first = post(aws).body["id"]
    second = post(aws, after_s=1, if_busy="wait").body
    third = post(aws, after_s=2, if_busy="wait").body
    assert (second["status"], second["waiting"], second["summary"]) == ("PENDING", True, f"Waits for {first}")
    assert list(aws.executions.started) == [first]
    for ended, following in ((first, second["id"]), (second["id"], third["id"])):
        ends(aws, ended)
        assert swept(aws, ended) == {"dev": f"started {following} from the queue"}
        lock = aws.records.environment("dev").lock
        assert lock is not None
        assert lock.deployment_id == following


def test_who_comes_to_stand_in_line_just_as_the_holder_lets_go_is_started() -> None:
    aws = FakeAws()
    first = post(aws).body["id"]
    enqueue = aws.records.enqueue

    def late(deployment: Deployment, claim: Claim | None) -> None:
        ends(aws, first)
        swept(aws, first)
        enqueue(deployment, claim)

    aws.records.enqueue = late  # type: ignore[method-assign]
    second = post(aws, after_s=1, if_busy="wait").body
    assert not second.get("waiting")
    assert second["id"] in aws.executions.started


def test_nobody_jumps_the_line_between_an_end_and_the_next_start() -> None:
    aws = FakeAws()
    first = post(aws).body["id"]
    second = post(aws, after_s=1, if_busy="wait").body["id"]
    ends(aws, first)
    refused = post(aws, after_s=2)
    assert (refused.status, error(refused)["holder"]) == (409, second)


def test_an_aborted_waiter_leaves_the_line() -> None:
    aws = FakeAws()
    first = post(aws).body["id"]
    second = post(aws, after_s=1, if_busy="wait").body["id"]
    ask(aws, control.abort, id=second)
    ends(aws, first)
    assert swept(aws, first) == {}
    assert aws.records.deployment(second).status is DeploymentStatus.ABORTED


def test_a_stopped_execution_is_settled_once() -> None:
    aws = FakeAws()
    started = post(aws).body["id"]
    arn = aws.executions.start(started, {})
    aws.records.attributes["dev"]["lock"]["execution_arn"] = arn
    assert swept(aws, started) == {}
    aws.executions.end(started, "ABORTED")
    swept(aws, started)
    swept(aws)
    settling = {name: given for name, given in aws.executions.started.items() if given.get("settle")}
    assert len(settling) == 1
    assert next(iter(settling)).startswith(f"{started}-settle-")


def test_a_starter_that_died_is_made_up_for() -> None:
    aws = FakeAws()
    started = post(aws).body["id"]
    aws.executions.started.clear()
    aws.executions.statuses.clear()
    assert swept(aws, after_s=30) == {}
    assert swept(aws, after_s=90) == {"dev": f"started {started}, whose starter had died"}
    assert list(aws.executions.started) == [started]


def test_an_ended_deployment_that_kept_its_lock_lets_go() -> None:
    aws = FakeAws()
    started = post(aws).body["id"]
    aws.executions.end(started, "SUCCEEDED")
    aws.records.attributes["dev"]["lock"]["execution_arn"] = aws.executions.start(started, {})
    aws.records.update_deployment(started, {"status": "SUCCEEDED"})
    swept(aws)
    assert aws.records.environment("dev").lock is None


def test_one_environment_that_cannot_be_healed_stops_no_other() -> None:
    aws = FakeAws()
    for name in ("dev", "prod"):
        post(aws, name)
    aws.executions.started.clear()
    aws.executions.statuses.clear()
    start = aws.executions.start

    def picky(name: str, given: Any) -> str:
        if given["environment"] == "dev":
            raise Throttled("slow down")
        return start(name, given)

    aws.executions.start = picky  # type: ignore[method-assign]
    answer = swept(aws, after_s=90)
    assert answer["dev"] == "failed, the next sweep retries: slow down"
    assert answer["prod"].startswith("started")


def test_an_approval_that_died_before_it_was_on_record_can_be_sent_again() -> None:
    """Found by the matrix of faults: the token was answered, and the record said WAITING_APPROVAL for ever."""
    aws = FakeAws()
    started = waiting(aws)
    update, calls = aws.records.update_deployment, []

    def dies(deployment_id: str, changes: Any) -> None:
        calls.append(changes)
        if len(calls) == 2:
            raise Throttled("away")
        update(deployment_id, changes)

    aws.records.update_deployment = dies  # type: ignore[method-assign]
    assert ask(aws, control.approve, id=started).status == 503
    assert ask(aws, control.approve, caller="someone-else", id=started).status == 409
    answer = ask(aws, control.approve, id=started)
    stands = aws.records.deployment(started)
    assert (answer.status, stands.status, stands.approval["by"]) == (202, DeploymentStatus.RUNNING, ANN)
    assert "token" not in stands.approval


def test_an_abort_whose_event_could_not_be_written_is_asked_for_again() -> None:
    """Found by the matrix of faults: the request was on record, and its event never reached anybody."""
    aws = FakeAws()
    started = post(aws).body["id"]

    def away(*_given: Any) -> None:
        raise Throttled("away")

    aws.records.add_event = away  # type: ignore[method-assign]
    assert ask(aws, control.abort, id=started).status == 503
    assert not aws.records.deployment(started).abort_requested
