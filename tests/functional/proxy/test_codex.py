"""Codex CLI (npm) through the deployed loop: a plain answer, and one with a tool call, streamed and buffered.

Its closing events repeat the whole response with its instructions, some 20 KB: none of it may be taken for a cut
stream.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import socket
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.functional.proxy.rig import local_server, rig
from tests.functional.proxy.test_sdks import KEY, door
from tests.functional.proxy.upstream import Seen, Upstream

pytestmark = pytest.mark.long  # the package has 400 MB
SHELLS = ("exec_command", "shell_command", "shell", "local_shell")
MARK = "codex-ran-this"


@pytest.fixture(scope="module")
def codex() -> Path:
    """The program, installed once under .local from the lock file."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        pytest.skip("NOT RUN: Codex CLI through the proxy (there is no node and npm on this machine)")
    sources = Path(__file__).parent / "codex"
    digest = hashlib.sha256((sources / "package-lock.json").read_bytes()).hexdigest()[:16]
    folder = Path(__file__).parents[3] / ".local" / f"codex-{digest}"
    program = folder / "node_modules" / ".bin" / "codex"
    if not program.exists():
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(sources / name, folder)
        command = [npm, "ci", "--no-audit", "--no-fund"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=600)
        if done.returncode:
            pytest.skip(f"NOT RUN: Codex CLI could not be installed: {done.stderr[-300:]}")
    return program


def shell_call(tools: list[dict[str, Any]]) -> dict[str, Any]:
    """The output item that calls the shell tool which this Codex offers."""
    named = {tool.get("name") or tool.get("type"): tool for tool in tools}
    name = next(name for name in SHELLS if name in named)
    properties = named[name].get("parameters", {}).get("properties", {})
    command: Any = f"echo {MARK}"
    if properties.get("command", {}).get("type") == "array":
        command = ["sh", "-c", command]
    arguments = json.dumps({"cmd" if "cmd" in properties else "command": command})
    return {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": name, "arguments": arguments}


def message(text: str) -> dict[str, Any]:
    content = [{"type": "output_text", "text": text, "annotations": []}]
    return {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": content}


class Model:
    """An upstream of the Responses API; `use_tool` makes it call the shell before it answers."""

    def __init__(self, *, use_tool: bool) -> None:
        self.use_tool = use_tool
        self.outputs: list[str] = []

    def answer(self, _: Upstream, received: Seen, client: socket.socket) -> bool:
        if not received.target.split("?")[0].endswith("/responses"):
            body = b'{"object": "list", "data": []}'
            client.sendall(
                b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body) + body
            )
            return True
        request = received.json()
        outputs = [item["output"] for item in request["input"] if item.get("type") == "function_call_output"]
        self.outputs += [str(output) for output in outputs]
        item = message(f"The end. {MARK if outputs else ''}")
        if self.use_tool and not outputs:
            item = shell_call(request["tools"])
        events = self._events(item, request)
        client.sendall(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
        for event in events:
            piece = b"event: %b\ndata: %b\n\n" % (event["type"].encode(), json.dumps(event).encode())
            client.sendall(b"%x\r\n%b\r\n" % (len(piece), piece))
        client.sendall(b"0\r\n\r\n")
        return True

    def _events(self, item: dict[str, Any], request: dict[str, Any]) -> list[dict[str, Any]]:
        usage: dict[str, Any] = {"input_tokens": 7, "output_tokens": 3, "total_tokens": 10}
        usage |= {"input_tokens_details": {"cached_tokens": 0}, "output_tokens_details": {"reasoning_tokens": 0}}
        instructions = (request.get("instructions") or "") + "x" * 20_000
        response = {"id": "resp_1", "object": "response", "model": "m", "instructions": instructions, "error": None}
        return [
            {"type": "response.created", "response": {**response, "status": "in_progress", "output": []}},
            {"type": "response.output_item.added", "output_index": 0, "item": item},
            {"type": "response.output_item.done", "output_index": 0, "item": item},
            {
                "type": "response.completed",
                "response": {**response, "status": "completed", "output": [item], "usage": usage},
            },
        ]


def run(
    codex: Path, url: str, home: Path, prompt: str, key: str = KEY, *, web_sockets: bool = False
) -> subprocess.CompletedProcess[str]:
    """`codex exec` over the proxy, with a home and a working folder of its own."""
    provider = f'{{ name = "proxy", base_url = "{url}", env_key = "PROXY_KEY", wire_api = "responses"'
    provider += ", supports_websockets = true }" if web_sockets else " }"
    command = [str(codex), "exec", "--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox"]
    command += ["-c", 'model_provider="proxy"', "-c", f"model_providers.proxy={provider}", "-m", "gpt-5", prompt]
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "CODEX_HOME": str(home), "PROXY_KEY": key}
    return subprocess.run(
        command, cwd=home, env=environment, capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL
    )


@pytest.fixture(params=["server", "stream", "buffered"])
def kind(request: pytest.FixtureRequest) -> str:
    """A door of the proxy."""
    return str(request.param)


@pytest.mark.parametrize("use_tool", [False, True], ids=["plain", "tool"])
def test_codex_works_plainly_and_with_a_tool(
    codex: Path, kind: str, use_tool: bool, artifact_folder: Path, tmp_path: Path
) -> None:
    model = Model(use_tool=use_tool)
    with Upstream(model.answer) as upstream, door(kind, upstream.base_url, artifact_folder) as url:
        done = run(codex, url, tmp_path, "Say: the end.")
    assert done.returncode == 0, done.stderr[-1500:]
    assert "The end." in done.stdout
    assert any(MARK in output for output in model.outputs) is use_tool
    calls = [received for received in upstream.received if received.target.endswith("/responses")]
    assert len(calls) == 1 + use_tool


def test_codex_goes_on_over_http_at_once_where_it_tries_web_sockets_first(codex: Path, tmp_path: Path) -> None:
    """After 426 it does not try again, as it does after 501."""
    model, statuses = Model(use_tool=False), list[int]()
    with Upstream(model.answer) as upstream:
        proxy = rig(upstream.base_url)
        with local_server(proxy.parts) as url:
            proxy.parts.telemetry.request_ended = lambda exchange: statuses.append(exchange.status)  # type: ignore[method-assign]
            done = run(codex, url, tmp_path, "Say: the end.", web_sockets=True)
    assert done.returncode == 0, done.stderr[-1500:]
    assert "The end." in done.stdout
    assert statuses.count(426) == 1
