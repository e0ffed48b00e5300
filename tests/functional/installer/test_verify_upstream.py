"""The stub upstream of make verify-account, run by Node as Lambda would run it: OpenAI's SDK takes it for OpenAI."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai
import pytest
from openai import OpenAI

from installer.verify import streaming, upstream
from installer.verify.rollouts import MODEL

KEY = "sk-stub-of-the-tests"
SHIM = Path(__file__).with_name("function_url.mjs")


@pytest.fixture(scope="module")
def base_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    code = tmp_path_factory.mktemp("stub") / "index.cjs"
    code.write_text(upstream.source())
    variables = {"PATH": os.environ["PATH"], "STUB_KEY": KEY}
    with subprocess.Popen(["node", str(SHIM), str(code)], env=variables, stdout=subprocess.PIPE, text=True) as node:
        assert node.stdout
        yield f"http://127.0.0.1:{node.stdout.readline().strip()}/v1"
        node.terminate()


@pytest.fixture
def sdk(base_url: str) -> OpenAI:
    return OpenAI(base_url=base_url, api_key=KEY, max_retries=0)


ASK: Any = [{"role": "user", "content": "hello"}]


def test_the_sdk_gets_chats_tools_embeddings_responses_and_models(sdk: OpenAI) -> None:
    chat = sdk.chat.completions.create(model=MODEL, messages=ASK)
    assert chat.choices[0].message.content
    assert chat.usage
    tools: Any = [{"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object"}}}]
    called: Any = sdk.chat.completions.create(model=MODEL, messages=ASK, tools=tools).choices[0]
    assert (called.finish_reason, called.message.tool_calls[0].function.name) == ("tool_calls", "get_weather")
    vectors = sdk.embeddings.create(model="text-embedding-3-small", input=["a", "b"]).data
    assert [len(vector.embedding) for vector in vectors] == [16, 16]
    assert sdk.responses.create(model=MODEL, input="hello").output_text
    assert MODEL in [model.id for model in sdk.models.list()]


def test_a_stream_comes_word_by_word_with_its_usage(sdk: OpenAI, base_url: str) -> None:
    options: Any = {"include_usage": True}
    chunks = list(sdk.chat.completions.create(model=MODEL, messages=ASK, stream=True, stream_options=options))
    assert chunks[-1].usage
    assert len([chunk for chunk in chunks if chunk.choices]) > 5
    observed = streaming.watch(base_url, KEY, MODEL)
    assert observed.came_in_pieces
    assert observed.text.rstrip().endswith("[DONE]")


@pytest.mark.parametrize(
    ("kind", "call"),
    [
        (openai.NotFoundError, {"model": "unknown", "messages": ASK}),
        (openai.BadRequestError, {"model": MODEL, "messages": "hello"}),
        (openai.BadRequestError, {"model": "", "messages": ASK}),
    ],
)
def test_what_openai_refuses_is_refused(sdk: OpenAI, kind: Any, call: Any) -> None:
    with pytest.raises(kind):
        sdk.chat.completions.create(**call)


def test_another_key_is_refused(base_url: str) -> None:
    with pytest.raises(openai.AuthenticationError):
        OpenAI(base_url=base_url, api_key="sk-another", max_retries=0).models.list()


def test_an_answer_without_a_body_is_timed(base_url: str) -> None:
    status, took = streaming.answer_time("HEAD", base_url, KEY)
    assert status in (200, 404, 405)
    assert took < 5
