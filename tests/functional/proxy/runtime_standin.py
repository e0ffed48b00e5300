"""A stand-in of the Lambda Runtime API that keeps what arrives, byte by byte and chunk by chunk, with times."""

from __future__ import annotations

import json
import queue
import socket
import threading
import time
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Posted:
    """One POST of the runtime: `chunks` are (arrival on time.monotonic(), bytes); a plain body is one chunk."""

    path: str
    headers: dict[str, str]
    chunks: list[tuple[float, bytes]] = field(default_factory=list)
    trailers: dict[str, str] = field(default_factory=dict)
    complete: bool = False

    @property
    def body(self) -> bytes:
        return b"".join(chunk for _, chunk in self.chunks)

    def json(self) -> Any:
        return json.loads(self.body)

    def prelude(self) -> tuple[dict[str, Any], bytes]:
        """The streamed answer's head, decoded, and the body after the eight NUL bytes."""
        head, _, body = self.body.partition(b"\0" * 8)
        return json.loads(head), body


class RuntimeStandIn:
    """Serves on a free port of 127.0.0.1 until closed."""

    def __init__(self) -> None:
        self._events: queue.Queue[tuple[str, bytes, float] | None] = queue.Queue()
        self.posted: queue.Queue[Posted] = queue.Queue()
        self.progress: queue.Queue[tuple[Posted, bytes]] = queue.Queue()
        self.polls = threading.Semaphore(0)
        self.first_poll_at = 0.0
        self.answer_status = 202
        self.close_after_answer = False
        self.hang_up_after_chunks = 0  # in the middle of a streamed answer; 0 never does
        self._count = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> RuntimeStandIn:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Refuse what comes, and tell a polling runtime to go."""
        self._events.put(None)
        self._listener.close()

    def invoke(self, event: Any, timeout_s: float = 30.0) -> str:
        """Queue an event; its request id."""
        self._count += 1
        identifier = f"invocation-{self._count}"
        self._events.put((identifier, json.dumps(event).encode(), time.time() + timeout_s))
        return identifier

    def call(self, event: Any, timeout_s: float = 30.0, wait_s: float = 20.0) -> Posted:
        """Invoke and wait for what the runtime posts, complete."""
        self.invoke(event, timeout_s)
        return self.posted.get(timeout=wait_s)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        reader = client.makefile("rb")
        with client, reader:
            while line := reader.readline():
                method, path, _ = line.decode().split()
                headers = _headers(reader)
                if method == "GET":
                    if not self._next(client):
                        return
                else:
                    self._take(client, reader, path, headers)
                    if self.close_after_answer:
                        return

    def _next(self, client: socket.socket) -> bool:
        self.first_poll_at = self.first_poll_at or time.monotonic()
        self.polls.release()
        item = self._events.get()
        if item is None:
            client.sendall(b"HTTP/1.1 500 Gone\r\ncontent-length: 0\r\n\r\n")
            return False
        identifier, event, deadline = item
        head = (
            f"HTTP/1.1 200 OK\r\nLambda-Runtime-Aws-Request-Id: {identifier}\r\n"
            f"Lambda-Runtime-Deadline-Ms: {int(deadline * 1000)}\r\nLambda-Runtime-Trace-Id: Root=1-5e\r\n"
            f"Lambda-Runtime-Invoked-Function-Arn: arn:aws:lambda:us-east-1:1:function:f\r\n"
            f"Content-Length: {len(event)}\r\n\r\n"
        )
        client.sendall(head.encode() + event)
        return True

    def _take(self, client: socket.socket, reader: Any, path: str, headers: dict[str, str]) -> None:
        posted = Posted(path, headers)
        if headers.get("transfer-encoding") == "chunked":
            while size := int(reader.readline().strip() or b"0", 16):
                chunk = reader.read(size)
                reader.readline()
                posted.chunks.append((time.monotonic(), chunk))
                self.progress.put((posted, chunk))
                if len(posted.chunks) == self.hang_up_after_chunks:
                    client.shutdown(socket.SHUT_RDWR)
                    return
            posted.trailers = _headers(reader)
        else:
            posted.chunks.append((time.monotonic(), reader.read(int(headers.get("content-length", "0")))))
        posted.complete = True
        # Head and body of the reply in two packets, as some servers do: the runtime must not wait for the second.
        client.sendall(f"HTTP/1.1 {self.answer_status} X\r\ncontent-length: 16\r\n\r\n".encode())
        client.sendall(b'{"status": "OK"}')
        self.posted.put(posted)


def _headers(reader: Any) -> dict[str, str]:
    headers: dict[str, str] = {}
    while line := reader.readline().strip():
        name, _, value = line.decode("latin-1").partition(":")
        headers[name.lower()] = value.strip()
    return headers


def rest_event(
    path: str,
    method: str = "GET",
    body: str | None = None,
    *,
    headers: dict[str, str] | None = None,
    encoded: bool = False,
    query: dict[str, list[str]] | None = None,
    candidate: bool = False,
) -> dict[str, Any]:
    """An event as API Gateway's REST proxy integration sends it (payload 1.0)."""
    identity: dict[str, str] = {"sourceIp": "127.0.0.1"}
    if candidate:
        identity |= {"userArn": "arn:aws:iam::123456789012:role/controlplane", "caller": "AROA"}
    supplied = {"content-type": "application/json", **(headers or {})}
    return {
        "resource": "/_candidate/{proxy+}" if candidate else "/{proxy+}",
        "path": ("/_candidate" if candidate else "") + path,
        "httpMethod": method,
        "headers": supplied,
        "multiValueHeaders": {name: [value] for name, value in supplied.items()},
        "queryStringParameters": {name: values[-1] for name, values in query.items()} if query else None,
        "multiValueQueryStringParameters": query,
        "requestContext": {
            "requestId": "gateway-request-1",
            "resourcePath": "/_candidate/{proxy+}" if candidate else "/{proxy+}",
            "identity": identity,
        },
        "body": body,
        "isBase64Encoded": encoded,
    }
