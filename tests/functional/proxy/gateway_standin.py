"""A stand-in of API Gateway in front of one Lambda environment: HTTP in, an event to the loop, its answer as HTTP out.

With it an SDK talks to the real loop in a process of its own, streamed or buffered. Every media type counts as
binary, as the template has it; one request at a time, as one environment serves.
"""

from __future__ import annotations

import base64
import contextlib
import http.server
import json
import queue
import threading
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.functional.proxy.runtime_standin import Posted, RuntimeStandIn, rest_event

WAIT_S = 20.0


class Gateway(http.server.ThreadingHTTPServer):
    """Serves on a free port of 127.0.0.1."""

    daemon_threads = True

    def __init__(self, runtime: RuntimeStandIn) -> None:
        self.runtime = runtime
        self.turn = threading.Lock()
        super().__init__(("127.0.0.1", 0), _Handler)


@contextlib.contextmanager
def gateway(runtime: RuntimeStandIn) -> Iterator[str]:
    """A gateway over a runtime; its base URL."""
    serving = Gateway(runtime)
    thread = threading.Thread(target=serving.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{serving.server_address[1]}/v1"
    finally:
        serving.shutdown()
        serving.server_close()
        thread.join(5)


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Gateway

    def _handle(self) -> None:
        parts = urlsplit(self.path)
        body = self._body()
        event = rest_event(
            parts.path,
            self.command,
            base64.b64encode(body).decode() if body else None,
            headers={name.lower(): value for name, value in self.headers.items()},
            encoded=bool(body),
            query=parse_qs(parts.query, keep_blank_values=True) or None,
        )
        if "content-type" not in self.headers:
            del event["headers"]["content-type"], event["multiValueHeaders"]["content-type"]
        with self.server.turn:
            self.server.runtime.invoke(event)
            self._answer()

    def _body(self) -> bytes:
        if self.headers.get("transfer-encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("content-length", "0")))
        chunks = []
        while size := int(self.rfile.readline(), 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(chunks)

    def _answer(self) -> None:
        """Pass chunks on as they come; the first ones end in the prelude's eight NUL bytes."""
        runtime, head = self.server.runtime, b""
        posted: Posted | None = None
        give_up = time.monotonic() + WAIT_S
        while posted is None or not runtime.progress.empty():
            if time.monotonic() > give_up:
                raise TimeoutError("the runtime did not answer")
            try:
                _, chunk = runtime.progress.get(timeout=0.002)
            except queue.Empty:
                with contextlib.suppress(queue.Empty):
                    posted = runtime.posted.get_nowait()  # put after its last chunk
                continue
            if head.endswith(b"\0" * 8):
                self.wfile.write(b"%x\r\n%b\r\n" % (len(chunk), chunk))
                continue
            head += chunk
            if head.endswith(b"\0" * 8):
                self._send_head(json.loads(head[:-8]), [("transfer-encoding", "chunked")])
        if posted.headers.get("transfer-encoding") != "chunked":
            self._send_whole(posted.json())
        elif posted.trailers:
            self.close_connection = True  # without a last chunk: the body is visibly incomplete
        else:
            self.wfile.write(b"0\r\n\r\n")

    def _send_whole(self, answer: dict[str, Any]) -> None:
        if "statusCode" not in answer:
            answer = {"statusCode": 502, "headers": {}, "body": json.dumps({"message": "Internal server error"})}
        body = answer["body"]
        content = base64.b64decode(body) if answer.get("isBase64Encoded") else body.encode()
        self._send_head(answer, [("content-length", str(len(content)))])
        self.wfile.write(content)

    def _send_head(self, answer: dict[str, Any], more: list[tuple[str, str]]) -> None:
        self.send_response_only(answer["statusCode"])
        for name, value in answer["headers"].items():
            self.send_header(name, value)
        for name, values in answer.get("multiValueHeaders", {}).items():
            for value in values:
                self.send_header(name, value)
        for name, value in more:
            self.send_header(name, value)
        self.end_headers()

    do_GET = do_POST = do_DELETE = do_PUT = do_PATCH = do_OPTIONS = _handle

    def log_message(self, *_: Any) -> None:
        return
