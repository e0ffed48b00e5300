"""The third door: a local HTTP server with real streaming, for development; `python -m proxy` starts it."""

from __future__ import annotations

import http.server
import json
import socket
import sys
import traceback
from typing import TYPE_CHECKING, ClassVar

from proxy import errors
from proxy.exchange import CALLER_GONE
from proxy.message import Request, StreamBroken

if TYPE_CHECKING:
    from proxy.message import Response
    from proxy.wiring import Parts


class Server(http.server.ThreadingHTTPServer):
    """Serves the parts of one proxy on 127.0.0.1; a thread a connection."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int, parts: Parts, body_limit: int) -> None:
        self.parts = parts
        self.body_limit = body_limit
        super().__init__(("127.0.0.1", port), Handler)

    def handle_error(self, request: object, client_address: object) -> None:  # noqa: ARG002
        """A caller that hangs up is no error; a bug is, and is shown without the request."""
        if not isinstance(sys.exc_info()[1], (ConnectionError, TimeoutError)):
            traceback.print_exc(file=sys.stderr)


class Handler(http.server.BaseHTTPRequestHandler):
    """One connection of a caller."""

    protocol_version = "HTTP/1.1"
    server: Server
    disable_nagle_algorithm = True
    wbufsize = -1  # head and first chunk leave in one write
    timeout = 300
    _methods: ClassVar[tuple[str, ...]] = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")

    def handle_method(self) -> None:
        """Answer one request."""
        parts = self.server.parts
        body = self._body()
        if body is None:
            return
        path, _, query = self.path.partition("?")
        headers = tuple((name.lower(), value) for name, value in self.headers.items())
        request = Request(self.command, path, query, headers, body, self.server.body_limit)
        response = parts.proxy.respond(request)
        try:
            self._send(response)
        finally:
            response.close()
            parts.telemetry.request_ended(response.exchange)

    def _body(self) -> bytes | None:
        """The request's body; None when it is refused unread, because it is too large or malformed."""
        if self.headers.get("transfer-encoding", "").lower() == "chunked":
            return self._dechunked()
        text = self.headers.get("content-length", "0")
        if not text.isdigit():
            self._refuse(errors.bad_request("Content-Length is not a number.", "invalid_header"))
            return None
        if int(text) > self.server.body_limit:
            self._refuse(errors.too_large(int(text), self.server.body_limit))
            return None
        return self.rfile.read(int(text))

    def _dechunked(self) -> bytes | None:
        chunks, total = [], 0
        while True:
            line = self.rfile.readline(1024).partition(b";")[0].strip()
            try:
                size = int(line, 16)
            except ValueError:
                self._refuse(errors.bad_request("The chunked body is malformed.", "invalid_body"))
                return None
            total += size
            if total > self.server.body_limit:
                self._refuse(errors.too_large(total, self.server.body_limit))
                return None
            chunks.append(self.rfile.read(size))
            while self.rfile.readline(1024).strip() and size == 0:
                continue  # trailers after the last chunk
            if size == 0:
                return b"".join(chunks)

    def _refuse(self, error: errors.ProxyError) -> None:
        body = error.body()
        self.close_connection = True
        self.send_response_only(error.status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.send_header("connection", "close")
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()
        self.connection.shutdown(socket.SHUT_WR)
        # Read what the caller still sends, up to a limit: a reset would take the answer from it.
        self.connection.settimeout(2.0)
        for _ in range(256):
            if not self.rfile.read1(65_536):
                break

    def _send(self, response: Response) -> None:
        self.send_response_only(response.status)
        sized = any(name == "content-length" for name, _ in response.headers)
        bare = self.command == "HEAD" or response.status in (204, 304)
        for name, value in response.headers:
            self.send_header(name, value)
        if not sized and not bare:
            self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        try:
            for chunk in response.body:
                self.wfile.write(chunk if sized else b"%x\r\n%b\r\n" % (len(chunk), chunk))
                self.wfile.flush()
            if not sized and not bare:
                self.wfile.write(b"0\r\n\r\n")
            self.wfile.flush()
        except ConnectionError:
            response.exchange.error = response.exchange.error or CALLER_GONE
            self.close_connection = True
        except StreamBroken:
            # No closing chunk: the caller's HTTP library sees that the body is incomplete.
            self.wfile.flush()
            self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        """The telemetry logs, in one line a request."""

    def __getattr__(self, name: str) -> object:
        # BaseHTTPRequestHandler looks for do_<METHOD>.
        if name.startswith("do_") and name[3:] in self._methods:
            return self.handle_method
        raise AttributeError(name)


def announce(server: Server) -> str:
    """The line that says where the server listens, as JSON like every other line."""
    url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    return json.dumps({"level": "INFO", "message": "listening", "base_url": url})
