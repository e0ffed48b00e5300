"""llmock injects faults and judges the client that it sees, which is the proxy: its verdict must be clean.

The caller is the official SDK with its own retries, as in life; where a stream breaks after its first byte, no proxy
can hide it, so the caller sees an error (never a shorter answer) and asks again.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import openai
import pytest
from llmock.pytest_plugin import LLMock
from llmock.testing import LLMockServer
from openai.types.chat import ChatCompletionUserMessageParam

from tests.functional.proxy.environment import Environment, secret_answer
from tests.functional.proxy.gateway_standin import gateway
from tests.functional.proxy.rig import local_server, rig

MESSAGES = [ChatCompletionUserMessageParam(role="user", content="Say something of several words, please.")]
LIMITS = {"connect_s": 1.0, "first_byte_s": 2.0, "idle_s": 0.4, "total_s": 10.0}


@pytest.fixture
def faults(openai_standin: LLMockServer) -> Iterator[LLMock]:
    result = LLMock(openai_standin)
    result.reset()
    yield result
    result.reset()


@pytest.fixture
def client(faults: LLMock) -> Iterator[openai.OpenAI]:
    """The SDK over the local door: what happens before an answer begins is the same at every door."""
    proxy = rig(faults.base_url(), timeouts=LIMITS)
    with local_server(proxy.parts) as url, openai.OpenAI(base_url=url, api_key="unused") as result:
        yield result


@pytest.fixture(params=["stream", "buffered"])
def lambda_client(request: pytest.FixtureRequest, faults: LLMock, artifact_folder: Path) -> Iterator[openai.OpenAI]:
    """The SDK over the real loop, where streams end differently."""
    answers = [secret_answer(faults.base_url(), timeouts=LIMITS)]
    environment = Environment(artifact_folder, answers, request.param).ready()
    try:
        with gateway(environment.runtime) as url, openai.OpenAI(base_url=url, api_key="unused") as result:
            yield result
    finally:
        environment.end()


def ask(client: openai.OpenAI) -> str:
    return client.chat.completions.create(model="gpt-4o", messages=MESSAGES).choices[0].message.content or ""


def read(client: openai.OpenAI) -> str:
    stream = client.chat.completions.create(model="gpt-4o", messages=MESSAGES, stream=True)
    return "".join(chunk.choices[0].delta.content or "" for chunk in stream)


def until_whole(client: openai.OpenAI) -> tuple[str, int]:
    """What a caller does who may not use half an answer: (the text, how many streams broke)."""
    for broken in range(4):
        with contextlib.suppress(openai.APIError):
            return read(client), broken
    raise AssertionError("no stream came to its end")


def test_rate_limits_are_waited_out(client: openai.OpenAI, faults: LLMock) -> None:
    faults.rate_limit(times=2, retry_after=0.3)
    assert ask(client)
    faults.assert_resilient(strict=True)


def test_a_long_rate_limit_reaches_the_sdk_which_waits(client: openai.OpenAI, faults: LLMock) -> None:
    faults.fail(429, times=1, retry_after=9.0)
    with pytest.raises(openai.RateLimitError) as limited:
        client.with_options(max_retries=0).chat.completions.create(model="gpt-4o", messages=MESSAGES)
    assert limited.value.response.headers["retry-after"].startswith("9")
    faults.assert_resilient()


@pytest.mark.parametrize("status", [500, 503, 529])
def test_short_outages_are_ridden_out(client: openai.OpenAI, faults: LLMock, status: int) -> None:
    faults.fail(status, times=1)
    assert ask(client)
    faults.assert_resilient(strict=True)


def test_an_outage_is_given_up_in_time_and_without_a_storm(client: openai.OpenAI, faults: LLMock) -> None:
    faults.outage()
    with pytest.raises(openai.InternalServerError):
        ask(client)
    faults.assert_resilient(strict=True)


def test_errors_of_the_caller_are_not_repeated(client: openai.OpenAI, faults: LLMock) -> None:
    faults.context_overflow()
    with pytest.raises(openai.BadRequestError) as refused:
        ask(client)
    assert refused.value.code == "context_length_exceeded"
    faults.assert_resilient(strict=True)


FAULTS: list[Callable[[LLMock], object]] = [
    lambda faults: faults.truncate(after_chunks=2),
    lambda faults: faults.disconnect(after_chunks=2),
    lambda faults: faults.stall(after_chunks=2, seconds=3.0),
]


@pytest.mark.parametrize("fault", FAULTS, ids=["truncated", "disconnected", "stalled"])
def test_a_broken_stream_through_the_local_door_is_an_error(
    client: openai.OpenAI, faults: LLMock, fault: Callable[[LLMock], object]
) -> None:
    _check_broken_stream(client, faults, fault)


@pytest.mark.parametrize("fault", FAULTS, ids=["truncated", "disconnected", "stalled"])
def test_a_broken_stream_through_lambda_is_an_error(
    lambda_client: openai.OpenAI, faults: LLMock, fault: Callable[[LLMock], object]
) -> None:
    _check_broken_stream(lambda_client, faults, fault)


def _check_broken_stream(client: openai.OpenAI, faults: LLMock, fault: Callable[[LLMock], object]) -> None:
    """No broken stream is taken for a whole one."""
    whole, _ = until_whole(client)
    faults.reset()
    fault(faults)
    text, broken = until_whole(client)
    assert text == whole
    # Through a buffered door the break is a 502, which the SDK itself repeats.
    assert broken <= 1
    faults.assert_resilient(strict=True)


def test_a_slow_first_token_within_the_limit_is_waited_for(client: openai.OpenAI, faults: LLMock) -> None:
    faults.slow_first_token(0.6)
    assert read(client)
    faults.assert_resilient(strict=True)
