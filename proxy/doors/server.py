"""The third door: a local HTTP server with real streaming, for development; `python -m proxy` starts it."""

from __future__ import annotations

import contextlib
import http.server
import json
import socket
import sys
import time
import traceback
from typing import TYPE_CHECKING

from proxy import errors
from proxy.doors.incoming import read_body
from proxy.exchange import CALLER_GONE
from proxy.message import Request, StreamBroken

if TYPE_CHECKING:
    from collections.abc import Callable

    from proxy.message import Response
    from proxy.wiring import Parts

DRAIN_S = 5.0  # how long a refused caller may go on sending


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
    raw_requestline: bytes
    disable_nagle_algorithm = True
    wbufsize = -1  # head and first chunk leave in one write
    timeout = 300

    def handle_method(self) -> None:
        """Answer one request."""
        if self.request_version == "HTTP/0.9":
            self.send_error(505)
            return
        if self._knows_no_chunks():
            self.close_connection = True  # the end of the connection is the end of the answer
        request = self._request(b"")
        try:
            request = self._request(read_body(self.rfile, self.headers, self.server.body_limit))
        except errors.ProxyError as error:
            self._refuse(request, error)
            return
        try:
            response = self.server.parts.proxy.respond(request)
        except Exception:  # noqa: BLE001  (a bug fails its own request; its caller must hear of it)
            traceback.print_exc(file=sys.stderr)
            response = self.server.parts.proxy.refuse(request, errors.internal())
        self._hand_over(response)

    def _knows_no_chunks(self) -> bool:
        return self.request_version < "HTTP/1.1"  # as http.server compares them

    def _request(self, body: bytes) -> Request:
        path, _, query = self.path.partition("?")
        headers = tuple((name.lower(), value) for name, value in self.headers.items())
        return Request(self.command, path, query, headers, body, self.server.body_limit)

    def _hand_over(self, response: Response) -> None:
        try:
            self._send(response)
        except (ConnectionError, TimeoutError):
            response.exchange.error = response.exchange.error or CALLER_GONE
            self.close_connection = True
        except StreamBroken:
            # No closing chunk: the caller's HTTP library sees that the body is incomplete.
            self.wfile.flush()
            self.close_connection = True
        except Exception:
            response.exchange.error = response.exchange.error or errors.internal().code or ""
            raise  # shown by the server, and the connection closed
        finally:
            response.close()
            self.server.parts.telemetry.request_ended(response.exchange)

    def _send(self, response: Response) -> None:
        sized = any(name == "content-length" for name, _ in response.headers)
        bare = self.command == "HEAD" or response.status in (204, 304)
        chunked = not sized and not bare and not self._knows_no_chunks()
        self.send_response_only(response.status)
        for name, value in response.headers:
            self.send_header(name, value)
        if chunked:
            self.send_header("transfer-encoding", "chunked")
        if self.close_connection:
            self.send_header("connection", "close")
        self.end_headers()
        for chunk in response.body:
            if not bare:  # read to its end all the same: its connection is wanted again
                self.wfile.write(b"%x\r\n%b\r\n" % (len(chunk), chunk) if chunked else chunk)
                self.wfile.flush()
        if chunked:
            self.wfile.write(b"0\r\n\r\n")
        self.wfile.flush()

    def _refuse(self, request: Request, error: errors.ProxyError) -> None:
        """Answer a request that was not read to its end, and close: where the next one begins is not known."""
        self.close_connection = True
        self._hand_over(self.server.parts.proxy.refuse(request, error))
        with contextlib.suppress(OSError):  # the caller was quicker
            self.connection.shutdown(socket.SHUT_WR)
            # Read what the caller still sends, up to a limit: a reset would take the answer from it.
            until = time.monotonic() + DRAIN_S
            self.connection.settimeout(1.0)
            while time.monotonic() < until and self.rfile.read1(65_536):
                continue

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:  # noqa: ARG002
        """What http.server itself refuses, in OpenAI's shape. Its own messages repeat what the caller sent."""
        self.request_version = "HTTP/1.1"  # one that was not understood would leave the status line out
        said = f"The request cannot be understood: {self.responses[code][0]}."
        request = Request(self.command or "", "", "", (), b"", self.server.body_limit)
        self._refuse(request, errors.ProxyError(code, said, code="malformed_request"))

    def parse_request(self) -> bool:
        """Read the request's head, after an empty line that some send behind a body (RFC 9112 §2.2)."""
        if self.raw_requestline in (b"\r\n", b"\n"):
            self.raw_requestline = self.rfile.readline(65_537)
        return super().parse_request()

    def handle_expect_100(self) -> bool:
        """Ask for the body at once: the caller waits for it, some for a second."""
        expected = super().handle_expect_100()
        self.wfile.flush()
        return expected

    def log_message(self, format: str, *args: object) -> None:
        """The telemetry logs, in one line a request."""

    def __getattr__(self, name: str) -> Callable[[], None]:
        # BaseHTTPRequestHandler looks for do_<METHOD>; which methods there are is the core's matter.
        if name.startswith("do_"):
            return self.handle_method
        raise AttributeError(name)


def announce(server: Server) -> str:
    """The line that says where the server listens, as JSON like every other line."""
    url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    return json.dumps({"level": "INFO", "message": "listening", "base_url": url})
