"""The official SDKs run their usual calls with only base_url and key changed, through two doors: `python -m proxy`'s
server, and the real loop in stream mode behind a stand-in of API Gateway.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import json
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai
import pytest
from llmock.testing import LLMockServer
from pydantic import BaseModel

from tests.functional.proxy.environment import Environment, secret_answer
from tests.functional.proxy.gateway_standin import gateway
from tests.functional.proxy.rig import local_server, rig
from tests.functional.proxy.upstream import Seen, Upstream, reply

KEY = "client-key-1"
SECRET: dict[str, Any] = {
    "client_keys": [{"id": "sdk", "sha256": hashlib.sha256(KEY.encode()).hexdigest()}],
    "models": {"fast": {"target": "gpt-4o-mini"}, "ears": {"target": "whisper-1"}},
    "timeouts": {"connect_s": 2.0, "first_byte_s": 10.0, "idle_s": 5.0, "total_s": 20.0},
}
MESSAGES: list[Any] = [{"role": "user", "content": "Say hello."}]
TOOL: Any = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
SPEECH = bytes(range(256)) * 40


class Answer(BaseModel):
    word: str


@contextlib.contextmanager
def door(kind: str, base_url: str, folder: Path) -> Iterator[str]:
    """The proxy over an upstream, behind one of its doors; its base URL."""
    if kind == "server":
        proxy = rig(base_url, **SECRET)
        with local_server(proxy.parts) as url:
            yield url
        return
    environment = Environment(folder, [secret_answer(base_url, **SECRET)], kind).ready()
    try:
        with gateway(environment.runtime) as url:
            yield url
    finally:
        environment.end()


@pytest.fixture(params=["server", "stream", "buffered"])
def base_url(request: pytest.FixtureRequest, openai_standin: LLMockServer, artifact_folder: Path) -> Iterator[str]:
    with door(request.param, openai_standin.base_url("openai"), artifact_folder) as url:
        yield url


@pytest.fixture
def client(base_url: str) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=base_url, api_key=KEY, max_retries=0) as result:
        yield result


def test_chat_plain_streamed_and_its_request_id(client: openai.OpenAI) -> None:
    plain = client.chat.completions.create(model="fast", messages=MESSAGES)
    assert plain.choices[0].message.content
    assert plain.model == "gpt-4o-mini"
    assert plain._request_id
    chunks = list(
        client.chat.completions.create(
            model="fast", messages=MESSAGES, stream=True, stream_options={"include_usage": True}
        )
    )
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert chunks[-1].usage is not None


def test_structured_output_and_tools(client: openai.OpenAI) -> None:
    parsed = client.chat.completions.parse(model="fast", messages=MESSAGES, response_format=Answer)
    assert isinstance(parsed.choices[0].message.parsed, Answer)
    called = client.chat.completions.create(model="fast", messages=MESSAGES, tools=[TOOL])
    calls = called.choices[0].message.tool_calls
    assert calls
    assert calls[0].type == "function"
    assert set(json.loads(calls[0].function.arguments)) == {"city"}


def test_responses_plain_streamed_and_parsed(client: openai.OpenAI) -> None:
    assert client.responses.create(model="fast", input="Say hello.").output_text
    with client.responses.stream(model="fast", input="Say hello.") as stream:
        kinds = [event.type for event in stream]
    assert kinds[-1] == "response.completed"
    assert isinstance(client.responses.parse(model="fast", input="Hi", text_format=Answer).output_parsed, Answer)


def test_embeddings_models_images_and_batches(client: openai.OpenAI) -> None:
    assert len(client.embeddings.create(model="text-embedding-3-small", input="hello").data[0].embedding) == 1536
    names = [model.id for model in client.models.list()]
    assert {"fast", "gpt-4o"} <= set(names)
    assert client.images.generate(prompt="a cat", model="gpt-image-1").data
    assert client.batches.list(limit=1).data is not None


def test_files_go_up_and_come_back(client: openai.OpenAI) -> None:
    content = b'{"custom_id": "1", "body": "\xc3\xa9"}\n'
    file = client.files.create(file=("batch.jsonl", content), purpose="batch")
    assert client.files.content(file.id).content == content
    assert client.files.delete(file.id).deleted


def test_the_async_client_streams_and_runs_several_calls(base_url: str) -> None:
    async def run() -> tuple[int, str]:
        async with openai.AsyncOpenAI(base_url=base_url, api_key=KEY) as result:
            calls = [result.chat.completions.create(model="fast", messages=MESSAGES) for _ in range(5)]
            answers = await asyncio.gather(*calls)
            stream = await result.chat.completions.create(model="fast", messages=MESSAGES, stream=True)
            text = [chunk.choices[0].delta.content or "" async for chunk in stream]
            return len(answers), "".join(text)

    count, text = asyncio.run(run())
    assert count == 5
    assert text


def test_the_sdk_raises_what_it_raises_against_openai(base_url: str, openai_standin: LLMockServer) -> None:
    with openai.OpenAI(base_url=base_url, api_key="wrong", max_retries=0) as wrong:
        with pytest.raises(openai.AuthenticationError) as refused:
            wrong.models.list()
        assert refused.value.code == "invalid_api_key"
    with openai.OpenAI(base_url=base_url, api_key=KEY, max_retries=0) as right:
        with pytest.raises(openai.NotFoundError):
            right.get("/no/such/path", cast_to=object)
        with pytest.raises(openai.BadRequestError):
            right.post(
                "/chat/completions",
                content=b"{",
                cast_to=object,
                options={"headers": {"content-type": "application/json"}},
            )


def _audio(upstream: Upstream, received: Seen, client: socket.socket) -> bool:
    if received.target.endswith("/audio/speech"):
        return reply(200, SPEECH, kind="audio/mpeg")(upstream, received, client)
    good = b"whisper-1" in received.body and b"\x00\xff\r\n--" in received.body
    return reply(200 if good else 400, {"text": "hello"})(upstream, received, client)


@pytest.mark.parametrize("kind", ["server", "stream", "buffered"])
def test_audio_goes_in_as_a_form_and_comes_out_as_bytes(kind: str, artifact_folder: Path) -> None:
    with (
        Upstream(_audio) as upstream,
        door(kind, upstream.base_url, artifact_folder) as url,
        openai.OpenAI(base_url=url, api_key=KEY, max_retries=0) as result,
    ):
        assert result.audio.speech.create(model="tts-1", voice="alloy", input="hello").content == SPEECH
        heard = result.audio.transcriptions.create(model="ears", file=("a.wav", b"\x00\xff\r\n--"))
    assert heard.text == "hello"


@pytest.fixture(scope="session")
def node_sdk() -> Path:
    """The folder of openai-node, installed once under .local from the lock file beside calls.mjs."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        pytest.skip("NOT RUN: openai-node through the proxy (there is no node and npm on this machine)")
    sources = Path(__file__).parent / "node"
    digest = hashlib.sha256((sources / "package-lock.json").read_bytes()).hexdigest()[:12]
    folder = Path(__file__).parents[3] / ".local" / f"openai-node-{digest}"
    if not (folder / "installed").exists():
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(sources / name, folder / name)
        command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=300)
        (folder / "installed").touch()
    shutil.copy(sources / "calls.mjs", folder / "calls.mjs")
    return folder


@pytest.mark.parametrize("kind", ["server", "stream", "buffered"])
def test_openai_node_runs_its_usual_calls(
    kind: str, node_sdk: Path, openai_standin: LLMockServer, artifact_folder: Path
) -> None:
    with (
        Upstream(_audio) as audio,
        door(kind, openai_standin.base_url("openai"), artifact_folder) as url,
        door(kind, audio.base_url, artifact_folder) as audio_url,
    ):
        done = subprocess.run(
            ["node", "calls.mjs", url, audio_url], cwd=node_sdk, capture_output=True, text=True, timeout=120
        )
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result.pop("request_id")
    assert result == {
        "chat": True,
        "stream": True,
        "tool": "get_weather",
        "structured": "string",
        "response": True,
        "response_stream": "response.completed",
        "embedding": 1536,
        "file": '{"custom_id":"1"}\n',
        "deleted": True,
        "models": True,
        "speech": base64.b64encode(SPEECH).decode(),
        "transcription": "hello",
        "wrong_key": ["AuthenticationError", 401, "invalid_api_key"],
    }
