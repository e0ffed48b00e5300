"""A night: who serves users is checked once, who is busy is left alone, and of everybody it is known what came."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from chalicelib.api import deployments, nights
from chalicelib.domain.errors import AwsCallFailed, Throttled
from chalicelib.domain.model import DeploymentStatus, PhaseRecord, PhaseStatus
from chalicelib.lifecycle import night as nightly

from tests.fakes import FakeAws
from tests.fakes.calls import NOW, ask

DUE = {"scheduled_at": "2026-01-02T03:17:00Z"}
NIGHT = "2026-01-02"


def live(aws: FakeAws, *names: str) -> None:
    for name in names:
        good = {"version": "1", "deployment_id": "d", "at": "t", "artifact": "", "config": {}}
        aws.records.attributes.setdefault(name, {}).update(live=good, last_good=good)


def deploy(aws: FakeAws, environment: str) -> str:
    started: str = ask(aws, deployments.start, {"environment": environment}).body["id"]
    return started


def check(aws: FakeAws, environment: str, after: timedelta = timedelta(), **result: Any) -> dict[str, Any]:
    """One call of the task, as the Map makes it."""
    event = {"night": NIGHT, "environment": environment, **({"result": result} if result else {})}
    return nightly.revalidate_environment(event, aws.as_aws(), lambda: NOW + after)


def ends(aws: FakeAws, deployment_id: str, status: str = "SUCCEEDED", **changes: Any) -> None:
    """As record_outcome leaves it."""
    environment = aws.records.deployment(deployment_id).environment
    aws.records.update_deployment(deployment_id, {"status": status, **changes})
    aws.records.release_lock(environment, deployment_id)
    aws.executions.end(deployment_id, status)


def verdict(aws: FakeAws, environment: str) -> str:
    return next(item.verdict.value for item in aws.nights.of(NIGHT) if item.environment == environment)


def listed(aws: FakeAws) -> dict[str, Any]:
    return nightly.list_environments(DUE, aws.as_aws(), lambda: NOW)


def test_the_names_of_those_that_serve_users_go_to_the_bucket_and_only_their_number_into_the_state() -> None:
    aws = FakeAws()
    live(aws, "dev", "prod")
    deploy(aws, "never-live")
    answer = listed(aws)
    assert json.loads(aws.artifacts.get(answer["key"])) == ["dev", "prod"]
    assert (answer["night"], answer["count"], answer["bucket"]) == (NIGHT, 2, aws.settings.bucket)


@pytest.mark.parametrize(("config", "heals"), [({}, True), ({"heal_at_night": False}, False), ({"x": 1}, True)])
def test_a_night_heals_unless_the_environment_forbids_it_and_never_moves_an_alias(
    config: dict[str, object], heals: bool
) -> None:
    aws = FakeAws()
    live(aws, "dev")
    aws.records.attributes["dev"]["last_good"]["config"] = config
    options = aws.records.deployment(check(aws, "dev")["deployment_id"]).options
    assert (options.heal, options.leave_alias) == (heals, heals)


def test_an_environment_that_was_healed_is_good_and_named() -> None:
    aws = FakeAws()
    live(aws, "dev", "prod")
    answers = {name: check(aws, name) for name in ("dev", "prod")}
    evidence = {"healed": ["2 alarms defined again"]}
    record = PhaseRecord(0, "check_drift", PhaseStatus.SUCCEEDED, evidence=evidence)
    aws.records.put_phase(answers["dev"]["deployment_id"], record)
    for name, answer in answers.items():
        ends(aws, answer["deployment_id"])
        check(aws, name, **answer)
    assert (verdict(aws, "dev"), verdict(aws, "prod")) == ("healed", "good")
    summary = nightly.summarize_night(listed(aws), aws.as_aws(), lambda: NOW)
    assert (summary["good"], summary["healed"], summary["complete"]) == (2, 1, True)
    (night,) = ask(aws, nights.index).body["nights"]
    assert night["which"] == {"healed": {"dev": answers["dev"]["deployment_id"]}}


def test_a_night_that_is_started_by_hand_is_todays() -> None:
    for event in ({}, {"scheduled_at": "<aws.scheduler.scheduled-time>"}):
        assert nightly.list_environments(event, FakeAws().as_aws(), lambda: NOW)["night"] == NOW.date().isoformat()


def test_a_check_is_started_and_asked_after_less_and_less_often_until_it_has_ended() -> None:
    aws = FakeAws()
    live(aws, "dev")
    first = check(aws, "dev")
    second = check(aws, "dev", **first)
    assert (first["status"], second["status"]) == ("IN_PROGRESS", "IN_PROGRESS")
    assert aws.records.deployment(first["deployment_id"]).action.value == "revalidate"
    polls = [answer := first] + [answer := check(aws, "dev", **answer) for _ in range(8)]
    assert polls[-1]["poll_after_s"] > polls[0]["poll_after_s"]
    assert len(aws.executions.started) == 1
    ends(aws, first["deployment_id"])
    assert check(aws, "dev", **second)["status"] == "SUCCEEDED"
    assert verdict(aws, "dev") == "good"


def test_a_check_is_light_and_judges_only_what_so_few_requests_can_tell() -> None:
    aws = FakeAws()
    live(aws, "dev")
    options = aws.records.deployment(check(aws, "dev")["deployment_id"]).options
    assert options.load.rps * options.load.duration_s <= 50
    assert (options.load.cold_starts, options.slo.p99_ms) == (0, None)


def test_a_busy_environment_is_told_as_such_at_once_and_nobody_is_put_in_its_line() -> None:
    aws = FakeAws()
    live(aws, "dev")
    holder = deploy(aws, "dev")
    assert check(aws, "dev")["status"] == "SUCCEEDED"
    (result,) = aws.nights.of(NIGHT)
    assert (result.verdict.value, result.deployment_id) == ("busy", "")
    assert aws.records.next_in_line("dev") is None
    assert list(aws.executions.started) == [holder]


def test_a_night_does_not_take_the_turn_of_who_waits_in_line() -> None:
    aws = FakeAws()
    live(aws, "dev")
    holder = deploy(aws, "dev")
    ask(aws, deployments.start, {"environment": "dev", "options": {"if_busy": "wait"}}, now=NOW + timedelta(seconds=1))
    ends(aws, holder)
    check(aws, "dev")
    assert verdict(aws, "dev") == "busy"


def test_an_environment_whose_rollout_died_is_left_to_the_sweeper() -> None:
    aws = FakeAws()
    live(aws, "dev")
    dead = deploy(aws, "dev")
    aws.executions.end(dead, "ABORTED")
    aws.records.attributes["dev"]["lock"]["execution_arn"] = aws.executions.start(dead, {})
    check(aws, "dev")
    assert verdict(aws, "dev") == "busy"
    lock = aws.records.environment("dev").lock
    assert lock is not None
    assert lock.deployment_id == dead


def test_a_schedule_or_a_map_that_delivers_twice_starts_one_check() -> None:
    aws = FakeAws()
    live(aws, "dev")
    first, again = check(aws, "dev"), check(aws, "dev", after=timedelta(minutes=5))
    assert first["deployment_id"] == again["deployment_id"]
    assert len(aws.executions.started) == 1


@pytest.mark.parametrize(
    ("error", "expected"),
    [({"code": "Drift", "message": "m"}, "drifted"), ({"code": "ChecksFailed", "message": "m"}, "failed")],
)
def test_drift_is_told_apart_from_other_failures(error: dict[str, str], expected: str) -> None:
    aws = FakeAws()
    live(aws, "dev")
    started = check(aws, "dev")
    ends(aws, started["deployment_id"], "FAILED", error=error, summary="said why")
    check(aws, "dev", **started)
    assert verdict(aws, "dev") == expected
    assert aws.nights.of(NIGHT)[0].why == "said why"


def test_an_environment_that_cannot_even_be_started_is_a_failure_of_its_own() -> None:
    aws = FakeAws()
    live(aws, "dev")

    def away(name: str, given: Any) -> str:
        raise AwsCallFailed("step functions is away")

    aws.executions.start = away  # type: ignore[method-assign]
    assert check(aws, "dev")["status"] == "SUCCEEDED"
    assert verdict(aws, "dev") == "failed"


def test_throttling_is_left_to_the_state_machines_retry_and_is_no_verdict() -> None:
    aws = FakeAws()
    live(aws, "dev")

    def busy(name: str, given: Any) -> str:
        raise Throttled("slow down")

    aws.executions.start = busy  # type: ignore[method-assign]
    with pytest.raises(Throttled):
        check(aws, "dev")
    assert not aws.nights.of(NIGHT)


def test_a_check_that_does_not_end_does_not_hold_the_night_up() -> None:
    aws = FakeAws()
    live(aws, "dev")
    started = check(aws, "dev")
    assert check(aws, "dev", after=timedelta(minutes=59), **started)["status"] == "IN_PROGRESS"
    assert check(aws, "dev", after=timedelta(minutes=61), **started)["status"] == "SUCCEEDED"
    assert (verdict(aws, "dev"), aws.nights.of(NIGHT)[0].why) == ("failed", "has not ended within 1:00:00")
    assert aws.records.deployment(started["deployment_id"]).status is DeploymentStatus.PENDING


def test_the_sum_says_how_many_were_started_and_names_all_that_were_not_good() -> None:
    aws = FakeAws()
    live(aws, "bad", "busy", "fine", "lost")
    requested = listed(aws)
    deploy(aws, "busy")
    check(aws, "busy")
    ids = {}
    for name, status in (("bad", "FAILED"), ("fine", "SUCCEEDED")):
        started = check(aws, name)
        ids[name] = started["deployment_id"]
        ends(aws, ids[name], status)
        check(aws, name, **started)
    answer = nightly.summarize_night(requested, aws.as_aws(), lambda: NOW + timedelta(hours=1))
    counts = {"asked": 4, "started": 2, "good": 1, "healed": 0, "drifted": 0, "failed": 1, "busy": 1, "lost": 1}
    assert answer == {"night": NIGHT, **counts, "complete": False}
    (night,) = ask(aws, nights.index).body["nights"]
    assert night["which"] == {"failed": {"bad": ids["bad"]}, "busy": {"busy": ""}, "lost": {"lost": ""}}
    assert (night["began_at"], night["ended_at"]) == ("2026-01-02T03:04:05.000+00:00", "2026-01-02T04:04:05.000+00:00")


def test_a_night_is_complete_when_it_is_known_of_everybody_what_came_of_it() -> None:
    aws = FakeAws()
    live(aws, "dev")
    requested = listed(aws)
    started = check(aws, "dev")
    ends(aws, started["deployment_id"], "FAILED")
    check(aws, "dev", **started)
    assert nightly.summarize_night(requested, aws.as_aws(), lambda: NOW)["complete"]
    broken = requested | {"error": {"Error": "States.ItemReaderFailed", "Cause": "gone"}}
    assert not nightly.summarize_night(broken, aws.as_aws(), lambda: NOW)["complete"]
    assert ask(aws, nights.index).body["nights"][0]["error"]["Error"] == "States.ItemReaderFailed"
