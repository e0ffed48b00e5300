"""Facts about the stand-in: a planted fault that the proxy's request uses up establishes it."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from chalicelib.checks import stand_in
from chalicelib.checks.target import Target
from chalicelib.domain.aws.http import Reply
from chalicelib.domain.errors import AwsCallFailed

from tests.fakes import FakeAws, settings
from tests.fakes.endpoint import Sent, reply

FAULTS_URL = "http://127.0.0.1:9"
TARGET = Target("https://api.example/candidate/_candidate", True, "7", {"stand_in": True, "nonce": "n"})


def world(*, is_upstream: bool, planted: int = 201, proxy: int = 400) -> FakeAws:
    """A stand-in with one fault, which is used up by the proxy's request if it is the proxy's upstream."""
    aws = FakeAws(settings(upstream_faults_url=FAULTS_URL))
    faults: list[str] = []

    def answer(sent: Sent) -> Reply:
        if sent.url.endswith("/_llmock/scenario"):
            faults.append("planted")
            return reply(planted, {})
        if sent.url.startswith(FAULTS_URL):
            return reply(400 if faults and faults.pop() else 200, {})
        if is_upstream:
            faults.clear()
        return reply(proxy, {})

    aws.endpoint.answer = answer
    return aws


@pytest.mark.parametrize("proxy", [400, 200, 500])
@pytest.mark.parametrize("is_upstream", [True, False])
def test_a_fault_that_the_proxys_request_used_up_establishes_it_whatever_the_proxy_answers(
    is_upstream: bool, proxy: int
) -> None:
    target = stand_in.established(TARGET, world(is_upstream=is_upstream, proxy=proxy).as_aws())
    assert target.variables["stand_in"] is is_upstream


def test_a_stand_in_that_takes_no_fault_is_none() -> None:
    assert stand_in.established(TARGET, world(is_upstream=True, planted=500).as_aws()).variables["stand_in"] is False


def test_an_address_where_nothing_listens_establishes_nothing() -> None:
    aws = world(is_upstream=True)

    def refuses(_: Sent) -> Reply:
        raise AwsCallFailed("refused the connection")

    aws.endpoint.answer = refuses
    assert stand_in.established(TARGET, aws.as_aws()).variables["stand_in"] is False


def test_nothing_is_planted_through_the_users_path() -> None:
    aws = world(is_upstream=True)
    assert stand_in.established(replace(TARGET, signed=False), aws.as_aws()).variables["stand_in"] is False
    assert aws.endpoint.sent == []


def test_without_an_address_nothing_is_asked() -> None:
    aws = world(is_upstream=True)
    target = replace(TARGET, variables={"stand_in": False, "nonce": "n"})
    assert stand_in.established(target, aws.as_aws()) == target
    assert aws.endpoint.sent == []


def test_the_probe_is_for_a_model_of_its_own() -> None:
    aws = world(is_upstream=True)
    stand_in.established(TARGET, aws.as_aws())
    (rule,) = json.loads(aws.endpoint.sent[0].body)["behaviors"]
    assert rule["match"] == {"model": "proxyctl-n-stand-in"}
