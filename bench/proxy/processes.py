"""Processes and callers that the measurements share; whatever is started is ended by its own handle."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from bench.proxy.figures import NotRun
from proxy.message import Request
from proxy.secret.store import TextStore
from proxy.settings import Settings
from proxy.wiring import Parts

ROOT = Path(__file__).parents[2]
PATH = "/v1/chat/completions"
BODY = json.dumps({"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "y" * 900}]}).encode()
STREAM_BODY = json.dumps({"model": "gpt-4o-mini", "stream": True, "messages": []}).encode()
# What openai-python sends, and what API Gateway adds to it.
HEADERS = (
    ("accept", "application/json"),
    ("content-type", "application/json"),
    ("user-agent", "OpenAI/Python 3.54.0"),
    ("authorization", "Bearer client-key"),
    ("x-stainless-lang", "python"),
    ("x-stainless-package-version", "3.54.0"),
    ("x-stainless-os", "Linux"),
    ("x-stainless-arch", "x64"),
    ("x-stainless-runtime", "CPython"),
    ("x-stainless-retry-count", "0"),
    ("host", "abc.execute-api.eu-central-1.amazonaws.com"),
    ("x-forwarded-for", "203.0.113.9"),
    ("x-amzn-trace-id", "Root=1-5e"),
)


def clean_environment() -> dict[str, str]:
    """This environment without what changes how Python starts (PYTHONDONTWRITEBYTECODE would cost imports twice)."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}


@contextlib.contextmanager
def process(command: list[str], **options: object) -> Iterator[subprocess.Popen[str]]:
    """A process, ended on leaving."""
    with subprocess.Popen(command, text=True, **{"cwd": ROOT, **options}) as started:  # type: ignore[call-overload]
        try:
            yield started
        finally:
            started.terminate()
            try:
                started.wait(timeout=10)
            except subprocess.TimeoutExpired:
                started.kill()


@contextlib.contextmanager
def upstream() -> Iterator[int]:
    """The local upstream; its port."""
    command = [sys.executable, "-m", "bench.proxy.upstream"]
    with process(command, stdout=subprocess.PIPE, env=clean_environment()) as started:
        yield int(_line(started.stdout))


@contextlib.contextmanager
def local_door(port: int, folder: Path = ROOT) -> Iterator[int]:
    """`python -m proxy` of a checkout over the upstream; its port."""
    command = [sys.executable, "-m", "proxy", "--secret-env", "BENCH_SECRET", "--port", "0"]
    environment = {**clean_environment(), "BENCH_SECRET": secret(port)}
    with process(command, stdout=subprocess.PIPE, env=environment, cwd=folder) as started:
        url = str(json.loads(_line(started.stdout))["base_url"])
        # Its log must go on being read, or the pipe fills.
        with subprocess.Popen(["cat"], stdin=started.stdout, stdout=subprocess.DEVNULL) as reader:
            yield int(url.rpartition(":")[2].removesuffix("/v1"))
            started.terminate()
            reader.wait(timeout=10)


def _line(stream: IO[str] | None) -> str:
    assert stream is not None
    return stream.readline()


def secret(port: int) -> str:
    """The secret's JSON for an upstream at `port`."""
    return json.dumps({"schema": 1, "api_key": "sk-upstream", "base_url": f"http://127.0.0.1:{port}/v1"})


def parts(port: int) -> Parts:
    """The proxy's parts in this process, over the upstream at `port`."""
    settings = Settings("", "bench", "INFO", "stream", "", 3600.0, "1")
    return Parts(settings, TextStore(lambda: secret(port)))


def chat_request(body: bytes = BODY) -> Request:
    """The request of every measurement."""
    return Request("POST", PATH, "", HEADERS, body, 10_000_000)


def bare_caller(port: int, *, timeout: float = 30.0, headers: dict[str, str] | None = None) -> Callable[[], bytes]:
    """One keep-alive POST as http.client makes it: head and body in two packets."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    connection.connect()
    connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sent = {"content-type": "application/json", "authorization": "Bearer sk-upstream", **(headers or {})}

    def call() -> bytes:
        connection.request("POST", PATH, BODY, sent)
        response = connection.getresponse()
        body = response.read()
        if response.status != 200:
            raise RuntimeError(f"port {port} answered {response.status}: {body[:200]!r}")
        return body

    return call


def lean_caller(port: int) -> Callable[[], bytes]:
    """The same with http.client's parser but one write: a stricter measure, for it is what the proxy itself sends."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30.0)
    connection.connect()
    connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    head = f"POST {PATH} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\naccept-encoding: identity\r\n"
    head += (
        f"content-length: {len(BODY)}\r\ncontent-type: application/json\r\nauthorization: Bearer sk-upstream\r\n\r\n"
    )
    payload = head.encode() + BODY

    def call() -> bytes:
        connection.sock.sendall(payload)
        response = http.client.HTTPResponse(connection.sock, method="POST")
        response.begin()
        body = response.read()
        response.close()
        return body

    return call


def wait_until_answers(
    port: int, deadline_s: float, is_alive: Callable[[], bool], headers: dict[str, str] | None = None
) -> None:
    """Poll, ever more slowly, until a chat call succeeds. Raises NotRun."""
    pause, give_up = 0.1, time.monotonic() + deadline_s
    while True:
        try:
            bare_caller(port, headers=headers)()
            return
        except (OSError, RuntimeError, http.client.HTTPException) as error:
            if not is_alive():
                raise NotRun("it ended at once; log.txt in its folder under .local says why") from None
            if time.monotonic() > give_up:
                raise NotRun(f"port {port} did not answer within {deadline_s:g} s ({error})") from None
            time.sleep(pause)
            pause = min(pause * 1.5, 2.0)


def free_port() -> int:
    """A port of 127.0.0.1 that is free now."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])
