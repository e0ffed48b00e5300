"""A control API over real HTTP that answers what a test has queued, and remembers what it was asked."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from ctl.client import Client
from local import emulator
from local.state import Keys

REGION = "eu-central-1"


@dataclass(frozen=True)
class Request:
    """headers: names in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class ControlApi:
    """Answers with what is queued, then with what is kept for the path, else with 200 {}.

    pages: answers by path below the API's, without its query.
    """

    def __init__(self) -> None:
        self.answers: list[tuple[int, Any]] = []
        self.pages: dict[str, Any] = {}
        self.requests: list[Request] = []
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.url = f"http://127.0.0.1:{self.http.server_port}/api"
        self.client = Client(f"{self.url}/", emulator.session(REGION, Keys("AKIATEST", "secret")), REGION)

    def answer(self, path: str) -> tuple[int, bytes]:
        kept = (200, self.pages.get(path.partition("?")[0].removeprefix("/api"), {}))
        status, answer = self.answers.pop(0) if self.answers else kept
        return status, answer if isinstance(answer, bytes) else json.dumps(answer).encode()


def _handler(api: ControlApi) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            api.requests.append(Request(self.command, self.path, {k.lower(): v for k, v in self.headers.items()}, body))
            status, content = api.answer(self.path)
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_PATCH = _any

        def log_message(self, format: str, *args: Any) -> None:
            """Quiet."""

    return Handler


@contextmanager
def control_api() -> Iterator[ControlApi]:
    """One that listens."""
    running = ControlApi()
    thread = threading.Thread(target=running.http.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield running
    running.http.shutdown()
    running.http.server_close()
