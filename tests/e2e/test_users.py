"""The official SDKs run their usual calls through the deployed proxy, with only base_url and the key changed.

The calls are those of the proxy's own functional tests; here the door is API Gateway and the deployed function.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import openai
import pytest

from tests.e2e.rolling import CLIENT_KEY, Rolled
from tests.functional.proxy.test_sdks import (
    node_sdk,
    test_chat_plain_streamed_and_its_request_id,
    test_embeddings_models_images_and_batches,
    test_files_go_up_and_come_back,
    test_responses_plain_streamed_and_parsed,
    test_structured_output_and_tools,
    test_the_async_client_streams_and_runs_several_calls,
)

__all__ = [
    "node_sdk",
    "test_chat_plain_streamed_and_its_request_id",
    "test_embeddings_models_images_and_batches",
    "test_files_go_up_and_come_back",
    "test_responses_plain_streamed_and_parsed",
    "test_structured_output_and_tools",
    "test_the_async_client_streams_and_runs_several_calls",
]


@pytest.fixture
def base_url(rolled: Rolled) -> str:
    return rolled.base_url


@pytest.fixture
def client(base_url: str) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=base_url, api_key=CLIENT_KEY, max_retries=0) as created:
        yield created


def test_a_wrong_client_key_is_refused_as_openai_refuses_it(base_url: str) -> None:
    wrong = openai.OpenAI(base_url=base_url, api_key="wrong", max_retries=0)
    with wrong, pytest.raises(openai.AuthenticationError) as refused:
        wrong.models.list()
    assert refused.value.code == "invalid_api_key"


def test_openai_node_runs_its_usual_calls(base_url: str, node_sdk: Path) -> None:
    # The second address is for audio, which llmock does not answer: those calls are looked at in the functional tests.
    done = subprocess.run(
        ["node", "calls.mjs", base_url, ""], cwd=node_sdk, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert (result["chat"], result["stream"], result["tool"], result["embedding"]) == (True, True, "get_weather", 1536)
    assert result["wrong_key"] == ["AuthenticationError", 401, "invalid_api_key"]


def test_a_body_of_any_bytes_survives_api_gateway(client: openai.OpenAI, rolled: Rolled) -> None:
    """The stand-in keeps files as text; what it makes of the same bytes sent to it directly must be the same."""
    content = bytes(range(256)) * 64
    direct = openai.OpenAI(base_url=rolled.embedded.cloud.upstream, api_key="sk-x", max_retries=0)
    with direct:
        expected = direct.files.create(file=("all.bin", content), purpose="user_data")
        through = client.files.create(file=("all.bin", content), purpose="user_data")
        assert through.bytes == expected.bytes
        assert client.files.content(through.id).content == direct.files.content(expected.id).content
