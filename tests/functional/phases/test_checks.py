"""Every check of phases 7 and 8, against the real proxy and llmock: it passes when all is well, and sees its fault."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from chalicelib.checks import throttle
from chalicelib.checks.check import Check
from chalicelib.checks.endpoint_checks import ENDPOINTS
from chalicelib.checks.error_checks import ERRORS
from chalicelib.checks.expectations import CheckOutcome, CheckVerdict, judge
from chalicelib.checks.fault_checks import FAULTS
from chalicelib.checks.observe import run_check
from chalicelib.checks.reference import all_checks
from chalicelib.checks.target import locate
from chalicelib.domain.aws.address import Domain
from chalicelib.domain.codec import encode
from chalicelib.domain.config import Config, Throttle
from llmock.testing import LLMockServer

from tests.fakes.requests import environment, release
from tests.functional.phases.looks import looking, request_for
from tests.functional.phases.spoils import ENDPOINT_FAULTS, ERROR_FAULTS, TWICE
from tests.functional.phases.stage import VERSION, Answer, Stage, stage

SECRET: dict[str, Any] = {
    "models": {"fast": {"target": "gpt-4o-mini"}, "embed": {"target": "text-embedding-3-small"}},
    "cors_origins": ["https://app.example"],
    "timeouts": {"connect_s": 2, "first_byte_s": 0.9, "idle_s": 0.9, "total_s": 20},
}
KEYS = [{"id": "someone", "sha256": hashlib.sha256(b"their key").hexdigest()}]
# Whether a timeout comes within 10 % is the machine's business too; these are judged on times given (test_observe.py).
TIMED = {"first_byte_timeout", "idle_timeout"}
# What these look at is public: a revalidation of the live alias, with client keys on.
LIVE = {"public_health", "domain", "no_key", "wrong_key"}
DOMAIN = Config(domain=Domain("llm.example.com", "arn:aws:acm:eu-central-1:123456789012:certificate/c"))


@pytest.fixture(scope="module")
def deployed(standin: LLMockServer) -> Iterator[Stage]:
    with stage(standin.base_url("openai"), **SECRET) as serving:
        yield serving


@pytest.fixture(scope="module")
def guarded(standin: LLMockServer) -> Iterator[Stage]:
    with stage(standin.base_url("openai"), client_keys=KEYS, **SECRET) as serving:
        yield serving


@pytest.fixture
def serving(check: Check, deployed: Stage, guarded: Stage) -> Iterator[Stage]:
    chosen = guarded if check.name in LIVE else deployed
    yield chosen
    chosen.spoil, chosen.twice = None, False


def outcome(check: Check, serving: Stage, standin: LLMockServer, fault: Any = None) -> CheckOutcome:
    aws, more = looking(standin.url), {}
    if check.name == "domain":
        # In the embedded cloud a domain is asked for at the cloud's own address.
        aws = looking(standin.url, endpoint_url=serving.url)
        live = replace(release(VERSION), config=encode(DOMAIN))
        more = {"config": DOMAIN, "environment": environment(live=live, last_good=live)}
    target = locate(request_for(serving, revalidate=check.name in LIVE, **more), aws.as_aws())
    serving.twice, serving.spoil = fault == TWICE, None if fault == TWICE else fault
    return run_check(check, target, aws.as_aws())


def every_check() -> list[Any]:
    return [pytest.param(check, id=check.name) for check in (*ENDPOINTS, *ERRORS, *FAULTS)]


def test_the_mutation_table_has_a_fault_for_every_check() -> None:
    tables = all_checks()
    assert {check.name for check in tables["validate_endpoints"]} == set(ENDPOINT_FAULTS)
    assert {check.name for check in tables["validate_errors"]} == set(ERROR_FAULTS)


@pytest.mark.parametrize("check", every_check())
def test_a_check_passes_on_a_proxy_that_is_well(check: Check, serving: Stage, standin: LLMockServer) -> None:
    result = outcome(check, serving, standin)
    if check.name in TIMED and result.verdict is CheckVerdict.FAILED:
        assert result.expected == [str(check.expects[-1])] or result.expected[0].startswith("timed_ms is near"), result
        return
    assert result.verdict is CheckVerdict.PASSED, result


@pytest.mark.parametrize("check", every_check())
def test_a_check_fails_when_its_fault_is_planted(check: Check, serving: Stage, standin: LLMockServer) -> None:
    fault = {**ENDPOINT_FAULTS, **ERROR_FAULTS}[check.name]
    result = outcome(check, serving, standin, fault)
    assert result.verdict is CheckVerdict.FAILED, result
    assert result.reason
    assert result.expected


@pytest.mark.parametrize("check", [pytest.param(check, id=check.name) for check in FAULTS])
def test_without_a_stand_in_a_fault_check_says_not_run(check: Check, deployed: Stage) -> None:
    aws = looking("").as_aws()
    result = run_check(check, locate(request_for(deployed), aws), aws)
    assert result.verdict is CheckVerdict.NOT_RUN
    assert "embedded cloud" in result.reason


@pytest.mark.parametrize("other", [{"response_mode": "buffered"}, {"endpoint_url": "http://127.0.0.1:4566"}])
@pytest.mark.parametrize("name", ["head", "no_content"])
def test_answers_without_a_body_are_checked_where_an_account_streams(
    name: str, other: dict[str, str], deployed: Stage
) -> None:
    check = next(check for check in ENDPOINTS if check.name == name)
    aws = looking("", **other).as_aws()
    result = run_check(check, locate(request_for(deployed), aws), aws)
    assert (result.verdict, "buffered here" in result.reason) == (CheckVerdict.NOT_RUN, True)


@pytest.mark.parametrize("name", ["head", "no_content"])
@pytest.mark.parametrize(("ms", "verdict"), [(10_000.0, CheckVerdict.PASSED), (10_001.0, CheckVerdict.FAILED)])
def test_an_answer_without_a_body_that_hangs_fails(name: str, ms: float, verdict: CheckVerdict) -> None:
    check = next(check for check in ENDPOINTS if check.name == name)
    status = check.expects[0].value
    assert judge(check.name, check.expects, {"status": status, "ms": ms}).verdict is verdict


@pytest.mark.parametrize("name", sorted(LIVE - {"public_health", "domain"}))
def test_without_client_keys_a_key_check_says_not_run(name: str, deployed: Stage) -> None:
    aws = looking("").as_aws()
    check = next(check for check in ERRORS if check.name == name)
    result = run_check(check, locate(request_for(deployed, revalidate=True), aws), aws)
    assert result.verdict is CheckVerdict.NOT_RUN


def test_a_revalidation_with_client_keys_on_knocks_at_the_candidates_door_too(guarded: Stage) -> None:
    """The live version is asked through the candidate's path then; users' own path would answer that it is open."""
    aws = looking("").as_aws()
    check = next(check for check in ENDPOINTS if check.name == "candidate_is_closed")
    result = run_check(check, locate(request_for(guarded, revalidate=True), aws), aws)
    assert result.verdict is CheckVerdict.PASSED, result


@pytest.fixture
def throttled(standin: LLMockServer) -> Iterator[Stage]:
    with stage(standin.base_url("openai"), **SECRET) as serving:
        serving.tokens = serving.burst
        yield serving


def driven(serving: Stage, faults_url: str = "", **other: Any) -> CheckOutcome:
    aws = looking(faults_url).as_aws()
    return throttle.drive(Throttle(50, 30), locate(request_for(serving), aws), aws, **other)


def test_throttling_is_driven_until_429_and_seen_to_recover(throttled: Stage) -> None:
    assert driven(throttled).verdict is CheckVerdict.PASSED


def test_a_throttle_without_a_retry_after_fails(throttled: Stage) -> None:
    throttled.spoil = ERROR_FAULTS["throttling"]  # type: ignore[assignment]
    assert driven(throttled).verdict is CheckVerdict.FAILED


def test_a_throttle_that_does_not_recover_fails(throttled: Stage) -> None:
    throttled.refill_per_s = 0
    result = driven(throttled, sleep=lambda _: None)
    assert result.verdict is CheckVerdict.FAILED
    assert "recovered" in result.reason


def slow_gateway(serving: Stage) -> None:
    """Too slow for what its throttle gives back, but quick to say no."""

    def slow(_: Any, answer: Answer) -> Answer:
        if answer.status == 200:
            time.sleep(0.4)
        return answer

    serving.spoil = slow


def test_in_the_embedded_cloud_a_slow_machine_exceeds_the_throttle_for_a_moment(
    throttled: Stage, standin: LLMockServer
) -> None:
    slow_gateway(throttled)
    result = driven(throttled, standin.url)
    assert result.verdict is CheckVerdict.PASSED, result


def test_in_an_account_users_lambdas_are_spared_that_moment(throttled: Stage) -> None:
    slow_gateway(throttled)
    assert driven(throttled).verdict is CheckVerdict.NOT_RUN


@pytest.mark.parametrize(("at_once", "verdict"), [(6, CheckVerdict.NOT_RUN), (8, CheckVerdict.PASSED)])
def test_where_lambda_lets_few_in_no_more_are_sent_at_once(
    at_once: int, verdict: CheckVerdict, throttled: Stage, standin: LLMockServer
) -> None:
    """Lambda's refusals would be taken for the stage's."""
    slow_gateway(throttled)
    aws = looking(standin.url).as_aws()
    target = replace(locate(request_for(throttled), aws), at_once=at_once)
    outcome = throttle.drive(Throttle(50, 30), target, aws)
    assert outcome.verdict is verdict, outcome
    assert ("Lambda's concurrency" in outcome.reason) == (verdict is CheckVerdict.NOT_RUN)


def test_a_throttle_that_was_never_reached_is_not_run(deployed: Stage) -> None:
    result = driven(deployed, drive_s=0.3)
    assert result.verdict is CheckVerdict.NOT_RUN
    assert "50/s" in result.reason
