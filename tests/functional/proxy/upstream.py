"""A scripted upstream: raw sockets, so that a test decides about every byte and every way to fail."""

from __future__ import annotations

import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

CHAT = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1,
    "model": "gpt-4o-mini",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hi."}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 9, "completion_tokens": 12, "total_tokens": 21},
}


@dataclass(frozen=True)
class Seen:
    """One request as it arrived."""

    method: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes
    connection: int
    at: float

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key == name), None)

    def json(self) -> Any:
        return json.loads(self.body)


Behaviour = Callable[["Upstream", Seen, socket.socket], bool]  # True keeps the connection


@dataclass
class Upstream:
    """Serves on a free port of 127.0.0.1. Behaviours are used up in order; afterwards `otherwise` holds."""

    otherwise: Behaviour
    script: list[Behaviour] = field(default_factory=list)
    received: list[Seen] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._clients: list[socket.socket] = []
        self.connections = 0
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def __enter__(self) -> Upstream:
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()
        self.drop_connections()

    def drop_connections(self) -> None:
        """Close every open connection from this side, as a server does with idle ones."""
        with self._lock:
            clients, self._clients = self._clients, []
        for client in clients:
            try:
                client.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue  # its peer was quicker

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                self.connections += 1
                number = self.connections
                self._clients.append(client)
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._serve, args=(client, number), daemon=True).start()

    def _serve(self, client: socket.socket, number: int) -> None:
        try:
            with client, client.makefile("rb") as reader:
                while line := reader.readline():
                    received = _request(line, reader, number)
                    with self._lock:
                        self.received.append(received)
                        behaviour = self.script.pop(0) if self.script else self.otherwise
                    if not behaviour(self, received, client):
                        return
        except OSError:
            return


def _request(line: bytes, reader: Any, number: int) -> Seen:
    method, target, _ = line.decode("latin-1").split()
    headers = []
    while field_line := reader.readline().strip():
        name, _, value = field_line.decode("latin-1").partition(":")
        headers.append((name.lower(), value.strip()))
    length = int(dict(headers).get("content-length", "0"))
    return Seen(method, target, headers, reader.read(length), number, time.monotonic())


def reply(
    status: int = 200,
    body: bytes | dict[str, Any] = b"",
    headers: Iterable[tuple[str, str]] = (),
    kind: str = "application/json",
) -> Behaviour:
    """A whole answer of known length."""
    content = json.dumps(body).encode() if isinstance(body, dict) else body

    def behave(_: Upstream, received: Seen, client: socket.socket) -> bool:
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers)
        head = f"HTTP/1.1 {status} X\r\ncontent-type: {kind}\r\ncontent-length: {len(content)}\r\n{lines}\r\n"
        client.sendall(head.encode("latin-1") + (b"" if received.method == "HEAD" else content))
        return True

    return behave


def chat(**changes: Any) -> Behaviour:
    """An ordinary chat completion."""
    return reply(200, {**CHAT, **changes}, [("x-request-id", "req_upstream")])


def stream(
    chunks: Iterable[bytes],
    *,
    end: str = "clean",
    gates: Iterable[threading.Event] = (),
    delay_s: float = 0.0,
    first_delay_s: float = 0.0,
) -> Behaviour:
    """Server-sent events in HTTP chunks. `gates[n]` is waited for before chunk n+1.

    `end`: clean, or cut (closed without the last chunk), reset, stall (keeps silent).
    """
    events, waits = list(chunks), list(gates)

    def behave(_: Upstream, __: Seen, client: socket.socket) -> bool:
        client.sendall(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
        for number, chunk in enumerate(events):
            if number and number <= len(waits) and not waits[number - 1].wait(10):
                return False
            time.sleep(delay_s if number else max(delay_s, first_delay_s))
            client.sendall(b"%x\r\n%b\r\n" % (len(chunk), chunk))
        if end == "clean":
            client.sendall(b"0\r\n\r\n")
            return True
        if end == "reset":
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        if end == "stall":
            return bool(client.recv(1)) and False
        return False

    return behave


def hang_up(_: Upstream, __: Seen, ___: socket.socket) -> bool:
    """Close after the request was read, without a word."""
    return False


def keep_silent(_: Upstream, __: Seen, client: socket.socket) -> bool:
    """Read the request and never answer; ends when the other side hangs up."""
    client.recv(1)
    return False


def short(promised: int, body: bytes) -> Behaviour:
    """An answer that ends before its Content-Length."""

    def behave(_: Upstream, __: Seen, client: socket.socket) -> bool:
        head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {promised}\r\n\r\n"
        client.sendall(head.encode() + body)
        return False

    return behave


def events(*contents: str, done: bool = True) -> list[bytes]:
    """Chat completion chunks as server-sent events."""
    result = [
        b"data: " + json.dumps({"choices": [{"index": 0, "delta": {"content": text}}]}).encode() + b"\n\n"
        for text in contents
    ]
    return [*result, b"data: [DONE]\n\n"] if done else result
