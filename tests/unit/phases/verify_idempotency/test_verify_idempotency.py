"""A deployment proves that a second one would be harmless, and leaves no trace of the proof."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from chalicelib.domain.aws.functions import Alias, FunctionConfig
from chalicelib.domain.aws.http import Reply
from chalicelib.domain.aws.stacks import Stack
from chalicelib.domain.errors import PhaseFailed
from chalicelib.engine.phase import Request, Result, Status
from chalicelib.phases.verify_idempotency import run as verify_idempotency

from tests.fakes import FakeAws
from tests.fakes.endpoint import Sent, reply
from tests.fakes.requests import environment, release, request

FUNCTION = "proxyctl-dev-proxy"
RESULTS: dict[str, Any] = {
    "release_code": {"version": "3", "code_sha256": "sha"},
    "deploy_stack": {"api_url": "https://api/live"},
}
PLAN: dict[str, Any] = {"package_artifact": True, "deploy_stack": True}


def world(versions: int = 3) -> FakeAws:
    aws = FakeAws()
    config = FunctionConfig("sha", 256, 29, {"LOG_LEVEL": "INFO", "SECRET_ARN": "arn"}, "python3.11")
    aws.functions.add(FUNCTION, config, live=str(versions), versions=versions)
    aws.stacks.standing["proxyctl-env-dev"] = Stack("proxyctl-env-dev", "id", "CREATE_COMPLETE", updated_at="t")

    def health(sent: Sent) -> Reply:
        assert sent.signed
        assert sent.url == "https://api/live/_candidate/health"
        return reply(200, {"status": "ok", "version": aws.functions.aliases(FUNCTION)["candidate"].version})

    aws.endpoint.answer = health
    return aws


def asked(**other: Any) -> Request:
    given: dict[str, Any] = {"results": RESULTS, "plan": PLAN}
    return request(**given | other)


def to_the_end(aws: FakeAws, first: Request) -> Result:
    result = verify_idempotency.run(first, aws.as_aws())
    for _ in range(20):
        if result.status is not Status.IN_PROGRESS:
            return result
        result = verify_idempotency.run(replace(first, cursor=result.cursor), aws.as_aws())
    raise AssertionError("it never ended")


def test_it_proves_all_three_and_leaves_function_and_candidate_as_they_were() -> None:
    aws = world()
    before = aws.functions.latest[FUNCTION]
    result = to_the_end(aws, asked())
    assert result.status is Status.SUCCEEDED
    assert result.evidence["planned"] == ["deploy_stack", "package_artifact"]
    assert result.evidence["setting_changed_alone"] == "LOG_LEVEL"
    assert aws.functions.moves == [Alias("candidate", "1"), Alias("candidate", "3")]
    assert aws.functions.latest[FUNCTION] == before
    assert not [name for name in result.evidence if name.startswith("_")]


def test_updates_that_take_time_are_waited_for() -> None:
    aws = world()
    aws.functions.settling = 2
    assert to_the_end(aws, asked()).status is Status.SUCCEEDED


def test_a_setting_that_a_call_which_died_had_changed_goes_back_to_the_releases() -> None:
    aws = world()
    before = aws.functions.latest[FUNCTION]
    aws.functions.settling = 5
    verify_idempotency.run(asked(), aws.as_aws())  # and its answer is lost
    assert aws.functions.latest[FUNCTION] != before
    to_the_end(aws, asked())
    assert aws.functions.latest[FUNCTION] == before


def test_a_candidate_that_a_call_which_died_had_taken_back_is_fetched_before_the_plan_is_judged() -> None:
    aws = world()
    aws.functions.pointed[FUNCTION]["candidate"] = Alias("candidate", "1")
    seen_elsewhere = asked(plan={**PLAN, "release_code": False})
    told = verify_idempotency.run(seen_elsewhere, aws.as_aws())
    assert told.status is Status.IN_PROGRESS
    assert aws.functions.aliases(FUNCTION)["candidate"].version == "3"
    assert to_the_end(aws, asked(cursor=told.cursor)).status is Status.SUCCEEDED


def test_a_phase_that_would_run_anew_is_named() -> None:
    with pytest.raises(PhaseFailed) as failed:
        to_the_end(world(), asked(plan={**PLAN, "deploy_stack": False}))
    assert failed.value.evidence == {"would_act": ["deploy_stack"]}


def test_a_setting_that_needed_a_stack_update_fails() -> None:
    aws = world()
    aws.functions.settling = 1
    first = verify_idempotency.run(asked(), aws.as_aws())
    aws.stacks.standing["proxyctl-env-dev"] = Stack("proxyctl-env-dev", "id", "UPDATE_COMPLETE", updated_at="later")
    with pytest.raises(PhaseFailed) as failed:
        to_the_end(aws, asked(cursor=first.cursor))
    assert "the stack was updated" in failed.value.message


def test_a_candidate_that_never_answers_from_the_other_version_fails_in_the_end() -> None:
    aws = world()
    aws.endpoint.answer = lambda sent: reply(200, {"status": "ok", "version": "3"})
    waiting = verify_idempotency.run(asked(), aws.as_aws())
    assert waiting.status is Status.IN_PROGRESS
    with pytest.raises(PhaseFailed) as failed:
        verify_idempotency.run(asked(cursor=waiting.cursor, after_s=500), aws.as_aws())
    assert failed.value.code == "NotSettled"


def test_it_goes_back_to_a_version_that_was_good_not_to_one_that_never_started() -> None:
    aws = world(versions=4)
    good = environment(live=release("2"), last_good=release("2"), previous=release("1"))
    to_the_end(aws, asked(environment=good, results={**RESULTS, "release_code": {"version": "4"}}))
    assert aws.functions.moves == [Alias("candidate", "2"), Alias("candidate", "4")]


def test_the_first_version_has_none_before_it_and_says_so() -> None:
    aws = world(versions=1)
    results = {**RESULTS, "release_code": {"version": "1"}}
    told = to_the_end(aws, asked(results=results)).evidence["back_and_forward"]
    assert str(told).startswith("NOT RUN")


def test_a_phase_that_had_to_leave_a_question_open_may_ask_it_the_next_time() -> None:
    results = {**RESULTS, "prepare_secret": {"access": {"execution_role": "NOT RUN: no role yet"}}}
    told = to_the_end(world(), asked(results=results, plan={**PLAN, "prepare_secret": False})).evidence
    assert (told["asks_again"], told["planned"]) == (["prepare_secret"], ["deploy_stack", "package_artifact"])
    with pytest.raises(PhaseFailed):
        to_the_end(world(), asked(results=RESULTS, plan={**PLAN, "prepare_secret": False}))
