"""Bodies of 200 MB: little more memory than the body itself, the key checked first, and others served meanwhile."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.functional.proxy.rig import secret

ROOT = Path(__file__).parents[4]
MEGABYTE = 1_000_000
SIZE = 200 * MEGABYTE
KEY = "client-key-1"
CLIENTS = [{"id": "a", "sha256": hashlib.sha256(KEY.encode()).hexdigest()}]


class Sink:
    """An upstream that counts the bytes of a request's body and keeps none of them but the last."""

    def __init__(self) -> None:
        self.received = 0
        self.tail = b""
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.base_url = f"http://127.0.0.1:{self._listener.getsockname()[1]}/v1"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            with client:
                self._read(client)
                client.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}")

    def _read(self, client: socket.socket) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            head += client.recv(65_536)
        fields, _, body = head.partition(b"\r\n\r\n")
        size = int(fields.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
        self.received = len(body)
        while self.received < size:
            part = client.recv(1 << 20)
            self.received += len(part)
            self.tail = (self.tail + part)[-100:]

    def close(self) -> None:
        self._listener.close()


@contextlib.contextmanager
def served(base_url: str, **changes: Any) -> Iterator[tuple[tuple[str, int], int]]:
    """(address, pid) of a `python -m proxy`."""
    text = json.dumps(secret(base_url, timeouts={"total_s": 300, "first_byte_s": 300}, **changes))
    process = subprocess.Popen(
        [sys.executable, "-m", "proxy", "--port", "0", "--secret-env", "S"],
        cwd=ROOT,
        env={**os.environ, "S": text},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        port = int(json.loads(process.stdout.readline())["base_url"].split(":")[2].split("/")[0])
        threading.Thread(target=process.stdout.read, daemon=True).start()
        yield ("127.0.0.1", port), process.pid
    finally:
        process.terminate()
        process.wait(10)


def memory(pid: int, name: str) -> int:
    """Bytes of a process: VmRSS now, or VmHWM at most since the process began."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(name):
            return int(line.split()[1]) * 1024
    raise AssertionError(f"no {name}")


def health(address: tuple[str, int]) -> float:
    """Seconds until /health answered."""
    begun = time.monotonic()
    with socket.create_connection(address, timeout=30) as client, client.makefile("rb") as reader:
        client.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        assert reader.readline().startswith(b"HTTP/1.1 200")
    return time.monotonic() - begun


needs_proc = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads Linux's /proc")
TAIL = b'"}],"model":"fast"}'
BODIES = {
    "json": ("application/json", b'{"messages":[{"content":"', b"x" * MEGABYTE, TAIL),
    "brackets": ("application/json", b'{"x":"","messages":[{"a":[', b"[]," * (MEGABYTE // 3), b'[]],"b":"' + TAIL),
    "file": ("application/octet-stream", b"", b"\0" * MEGABYTE, b""),
    "form": (
        "multipart/form-data; boundary=b",
        b"--b\r\nContent-Disposition: form-data; name=file; filename=x\r\n\r\n",
        b"\r\n--x" * (MEGABYTE // 5),
        b"\r\n--b\r\nContent-Disposition: form-data; name=model\r\n\r\nfast\r\n--b--\r\n",
    ),
}


@needs_proc
@pytest.mark.parametrize("kind", BODIES)
def test_a_body_of_200_mb_needs_at_most_a_third_more_and_health_answers_meanwhile(kind: str) -> None:
    content_type, head, filler, tail = BODIES[kind]
    count = SIZE // len(filler) if kind != "brackets" else 39
    size = len(head) + count * len(filler) + len(tail)
    sink = Sink()
    with served(sink.base_url, models={"fast": {"target": "gpt-4o-mini"}}) as (address, pid):
        health(address)
        before = memory(pid, "VmRSS")
        with socket.create_connection(address, timeout=240) as client, client.makefile("rb") as reader:
            lines = f"POST /v1/files HTTP/1.1\r\nHost: localhost\r\nContent-Type: {content_type}\r\n"
            client.sendall(f"{lines}Content-Length: {size}\r\n\r\n".encode() + head)
            for number in range(count):
                client.sendall(filler)
                if number % 50 == 49:
                    health(address)
            client.sendall(tail)
            health(address)
            assert reader.readline().startswith(b"HTTP/1.1 200")
        peak = memory(pid, "VmHWM") - before
    sink.close()
    assert peak <= 1.3 * size + 20 * MEGABYTE
    if kind != "file":
        assert b"gpt-4o-mini" in sink.tail
        size += len("gpt-4o-mini") - len("fast")
    assert sink.received == size


@pytest.mark.parametrize("expect", [b"", b"Expect: 100-continue\r\n"])
@pytest.mark.parametrize("length", [b"Content-Length: 200000000\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n5\r\n"])
def test_a_caller_without_a_key_is_refused_before_its_body_is_read(expect: bytes, length: bytes) -> None:
    with (
        served("http://127.0.0.1:9/v1", client_keys=CLIENTS) as (address, _),
        socket.create_connection(address, timeout=20) as client,
        client.makefile("rb") as reader,
    ):
        client.sendall(b"POST /v1/files HTTP/1.1\r\nHost: localhost\r\n" + expect + length)
        assert reader.readline() == b"HTTP/1.1 401 Unauthorized\r\n"
