"""A stage of API Gateway in front of the real proxy, in this process: what phases 7 to 9 talk to in their tests.

As the template has it: IAM on the candidate's path, none elsewhere, a throttle, and the gateway's own errors in
OpenAI's shape. `spoil` plants a fault into answers, to show that a check sees it.
"""

from __future__ import annotations

import contextlib
import http.server
import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from proxy import settings
from proxy.doors.gateway import request_of
from proxy.errors import ProxyError
from proxy.message import Request
from proxy.wiring import Parts
from tests.functional.proxy.rig import Store

VERSION = "7"
_CORS = {"access-control-allow-origin": "*"}


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


Spoil = Callable[[Request, Answer], Answer]


@dataclass
class Stage:
    """url: of the stage; tokens: what the throttle's bucket holds, None for no throttle."""

    parts: Parts
    store: Store
    url: str = ""
    spoil: Spoil | None = None
    twice: bool = False
    tokens: float | None = None
    refill_per_s: float = 50.0
    burst: float = 30.0
    _filled: float = field(default_factory=time.monotonic)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def admits(self) -> bool:
        with self._lock:
            if self.tokens is None:
                return True
            now = time.monotonic()
            self.tokens = min(self.burst, self.tokens + (now - self._filled) * self.refill_per_s)
            self._filled = now
            self.tokens -= 1 if (admitted := self.tokens >= 1) else 0
            return admitted

    def answer(self, event: dict[str, Any]) -> Answer:
        request = request_of(event, hold=True, deadline=None, invocation_id="i-1")  # type: ignore[arg-type]
        answer = self._ask(request)
        if self.twice:
            answer = self._ask(request)
        return self.spoil(request, answer) if self.spoil else answer

    def _ask(self, request: Request) -> Answer:
        response = self.parts.proxy.respond(replace(request, deadline=self.parts.clock.monotonic() + 25))
        return Answer(response.status, dict(response.headers), b"".join(response.body))


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256
    stage: Stage


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server
    wbufsize = -1  # one packet an answer: a second one would wait for a delayed acknowledgement

    def _handle(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", "0")))
        stage = self.server.stage
        is_candidate = self.path.startswith("/_candidate/")
        signed = self.headers.get("authorization", "").startswith("AWS4-HMAC-SHA256 Credential=")
        if is_candidate and not signed:
            self._send(self._gateway(403, "Missing Authentication Token", "missing_authentication"))
        elif not stage.admits():
            self._send(
                self._gateway(429, "Rate limit reached at the gateway.", "rate_limit_exceeded", {"retry-after": "1"})
            )
        else:
            try:
                self._send(stage.answer(self._event(body, is_candidate)))
            except ProxyError as error:
                self._send(Answer(error.status, {}, error.body()))

    def _event(self, body: bytes, is_candidate: bool) -> dict[str, Any]:
        import base64

        return {
            "httpMethod": self.command,
            "path": self.path.partition("?")[0],
            "headers": {name.lower(): value for name, value in self.headers.items()},
            "body": base64.b64encode(body).decode() if body else None,
            "isBase64Encoded": bool(body),
            "requestContext": {
                "requestId": "gateway-id-1",
                "resourcePath": "/_candidate/{proxy+}" if is_candidate else "/{proxy+}",
                "identity": {"userArn": "arn:aws:sts::123456789012:assumed-role/x/y"} if is_candidate else {},
            },
        }

    def _gateway(self, status: int, message: str, code: str, more: dict[str, str] | None = None) -> Answer:
        reported = {"error": {"message": message, "type": "invalid_request_error", "param": None, "code": code}}
        answer = Answer(
            status, {**_CORS, "x-request-id": "gateway-id-1", **(more or {})}, json.dumps(reported).encode()
        )
        request = Request(self.command, self.path, "", (), b"", 0)
        return self.server.stage.spoil(request, answer) if self.server.stage.spoil else answer

    def _send(self, answer: Answer) -> None:
        self.send_response_only(answer.status)
        for name, value in answer.headers.items():
            if name != "content-length":
                self.send_header(name, value)
        self.send_header("content-length", str(len(answer.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)
        self.wfile.flush()

    do_GET = do_POST = do_DELETE = do_PUT = do_OPTIONS = do_HEAD = _handle

    def log_message(self, *_: Any) -> None:
        return


@contextlib.contextmanager
def stage(upstream: str, **secret: Any) -> Iterator[Stage]:
    """Serves on a free port of 127.0.0.1; `upstream` is OpenAI's base URL, `secret` more of the proxy's secret."""
    content = {"schema": 1, "api_key": "sk-upstream", "base_url": upstream, **secret}
    created = settings.Settings("", "local", "ERROR", "buffered", "artifact-1", 60.0, VERSION)
    store = Store(content)
    serving = _Server(("127.0.0.1", 0), _Handler)
    serving.stage = Stage(Parts(created, store), store, f"http://127.0.0.1:{serving.server_address[1]}")
    thread = threading.Thread(target=serving.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield serving.stage
    finally:
        serving.shutdown()
        serving.server_close()
        thread.join(5)
