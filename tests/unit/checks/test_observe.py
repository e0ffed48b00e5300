"""What is made of an answer before it is judged, and how often a timed check is tried."""

from __future__ import annotations

import json
from typing import Any

import pytest
from chalicelib.checks.check import Check, HttpRequest
from chalicelib.checks.expectations import CheckVerdict, Expect
from chalicelib.checks.observe import facts_of, run_all, run_check
from chalicelib.checks.target import Target
from chalicelib.domain.aws.http import Reply

from tests.fakes import FakeAws
from tests.fakes.endpoint import Sent

VARIABLES: dict[str, Any] = {"nonce": "n", "stand_in": False, "live": False, "limit": 1_000.0}
TARGET = Target("https://api.example/api/_candidate", True, "7", VARIABLES)
TIMED = Check(
    "timeout",
    "It fires in time.",
    (Expect("timed_ms", "near", ("$limit", 0.1)),),
    http=HttpRequest("GET", "/v1/models"),
)


def answers(*elapsed_ms: float) -> FakeAws:
    """An endpoint whose answers take these times, one after another, the last one for ever."""
    aws, left = FakeAws(), list(elapsed_ms)
    aws.endpoint.answer = lambda _: Reply(504, {}, b"{}", left.pop(0) if len(left) > 1 else left[0])
    return aws


@pytest.mark.parametrize(
    ("ms", "verdict"), [(905, CheckVerdict.PASSED), (1_095, CheckVerdict.PASSED), (1_150, CheckVerdict.FAILED)]
)
def test_a_timeout_is_judged_by_how_long_it_took(ms: float, verdict: CheckVerdict) -> None:
    assert run_check(TIMED, TARGET, answers(ms).as_aws()).verdict is verdict


def test_a_timed_check_that_was_late_once_is_tried_again() -> None:
    aws = answers(1_500, 1_010)
    assert run_check(TIMED, TARGET, aws.as_aws()).verdict is CheckVerdict.PASSED
    assert len(aws.endpoint.sent) == 2


def test_a_timeout_that_is_late_every_time_fails() -> None:
    aws = answers(1_500)
    assert run_check(TIMED, TARGET, aws.as_aws()).verdict is CheckVerdict.FAILED
    assert len(aws.endpoint.sent) == 3


def test_another_check_is_tried_once() -> None:
    aws = answers(1.0)
    check = Check("status", "It is well.", (Expect("status", "is", 200),), http=HttpRequest("GET", "/health"))
    assert run_check(check, TARGET, aws.as_aws()).verdict is CheckVerdict.FAILED
    assert len(aws.endpoint.sent) == 1


def test_the_proxys_own_times_leave_a_cold_start_out() -> None:
    headers = {"x-proxy-overhead-ms": "1.5", "x-proxy-upstream-ms": "1000.5"}
    assert facts_of(Reply(504, headers, b"", 1_700.0))["timed_ms"] == 1_002.0


def test_of_a_stream_whose_headers_went_first_the_callers_time_counts() -> None:
    headers = {"x-proxy-overhead-ms": "1", "x-proxy-upstream-ms": "2", "content-type": "text/event-stream"}
    assert facts_of(Reply(200, headers, b"", 1_010.0))["timed_ms"] == 1_010.0


@pytest.mark.parametrize(
    ("reply", "tells"),
    [
        (Reply(500, {}, b"", 1.0), True),
        (Reply(200, {}, b"", 1.0, cut="dropped"), True),
        (Reply(200, {}, b'data: {"error": {"code": "x"}}\n\n', 1.0), True),
        (Reply(200, {}, b'data: {"broken\n\n', 1.0), True),
        (Reply(200, {}, b'data: {"choices": []}\n\ndata: [DONE]\n\n', 1.0), False),
        (Reply(200, {}, b'{"choices": []}', 1.0), False),
    ],
)
def test_a_client_can_tell_a_failure_by_status_broken_body_or_error_event(reply: Reply, tells: bool) -> None:
    assert facts_of(reply)["tells_of_failure"] is tells


def test_a_body_is_padded_after_its_json() -> None:
    aws = answers(1.0)
    request = HttpRequest("POST", "/v1/chat/completions", body={"model": "$limit"}, pad_to=100)
    run_check(Check("big", "It is big.", (), http=request), TARGET, aws.as_aws())
    body = aws.endpoint.sent[0].body
    assert len(body) == 100
    assert json.loads(body) == {"model": 1_000.0}


def test_outcomes_come_in_the_order_of_the_checks() -> None:
    def answer(sent: Sent) -> Reply:
        return Reply(200, {}, b"{}", 1.0)

    aws = FakeAws()
    aws.endpoint.answer = answer
    checks = [Check(f"c{number}", "It is.", (), http=HttpRequest("GET", f"/{number}")) for number in range(20)]
    assert [outcome.name for outcome in run_all(checks, TARGET, aws.as_aws())] == [check.name for check in checks]
