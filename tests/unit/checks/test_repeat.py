"""A request that API Gateway refused itself is sent again; what the proxy answers is never asked for twice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from chalicelib.checks import stand_in, upstream
from chalicelib.checks.check import Check, HttpRequest
from chalicelib.checks.expectations import CheckVerdict, Expect
from chalicelib.checks.observe import run_check
from chalicelib.checks.target import Target
from chalicelib.domain.aws.http import PROXY_HEADER, Reply

from tests.fakes import FakeAws

OURS = {PROXY_HEADER: "1.0"}
REFUSED, GOOD = Reply(429, {"retry-after": "1"}, b"{}", 1.0), Reply(200, OURS, b"{}", 1.0)
TARGET = Target("https://api.example/api/_candidate", True, "7", {"nonce": "n", "stand_in": False, "live": False})
CHECK = Check("models", "It is well.", (Expect("status", "is", 200),), http=HttpRequest("GET", "/v1/models"))


@pytest.fixture(autouse=True)
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    pauses: list[float] = []
    monkeypatch.setattr("chalicelib.checks.repeat.time.sleep", pauses.append)
    return pauses


def answering(*replies: Reply) -> FakeAws:
    """An endpoint that gives these replies one after another, the last one for ever."""
    aws, left = FakeAws(), list(replies)
    aws.endpoint.answer = lambda _: left.pop(0) if len(left) > 1 else left[0]
    return aws


@pytest.mark.parametrize(
    ("replies", "sent", "verdict"),
    [
        ((GOOD,), 1, CheckVerdict.PASSED),
        ((REFUSED, GOOD), 2, CheckVerdict.PASSED),
        ((*[REFUSED] * 5, GOOD), 6, CheckVerdict.PASSED),
        ((*[REFUSED] * 6, GOOD), 6, CheckVerdict.FAILED),
        ((Reply(429, OURS, b"{}", 1.0), GOOD), 1, CheckVerdict.FAILED),  # the proxy's own 429
        ((Reply(502, {}, b"{}", 1.0), GOOD), 1, CheckVerdict.FAILED),  # a function that crashes once is a finding
        ((Reply(503, {}, b"{}", 1.0), GOOD), 1, CheckVerdict.FAILED),
    ],
)
def test_only_the_gateways_own_429_is_asked_again(replies: Sequence[Reply], sent: int, verdict: CheckVerdict) -> None:
    aws = answering(*replies)
    assert run_check(CHECK, TARGET, aws.as_aws()).verdict is verdict
    assert len(aws.endpoint.sent) == sent


def test_pauses_grow_and_are_not_the_same_for_all_checks(slept: list[float]) -> None:
    run_check(CHECK, TARGET, answering(REFUSED).as_aws())
    first = list(slept)
    slept.clear()
    run_check(Check("other", "It is.", CHECK.expects, http=CHECK.http), TARGET, answering(REFUSED).as_aws())
    assert first == sorted(first)
    assert sum(first) < 21
    assert first != slept


def test_the_stand_in_is_looked_for_again_when_the_probe_was_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    aws = answering(REFUSED, Reply(400, OURS, b"{}", 1.0))
    planted: list[Any] = []
    monkeypatch.setattr(upstream, "plant", lambda faults, model, aws: planted.append(model))
    monkeypatch.setattr(upstream, "count_attempts", lambda faults, model, aws: len(aws.endpoint.sent) - 1)
    target = Target(TARGET.url, True, "7", {**TARGET.variables, "stand_in": True})
    assert stand_in.established(target, aws.as_aws()).variables["stand_in"] is True
    assert len(planted) == 1
