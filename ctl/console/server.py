"""The console's HTTP server, on 127.0.0.1: the files of its page, and the calls of `routes.py`, forwarded signed."""

import json
import sys
from collections.abc import Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import cast

from botocore.exceptions import BotoCoreError

from ctl.client import ApiError, Client
from ctl.console.gate import Denied, Gate
from ctl.console.routes import Route, find, query_of
from ctl.signed import error_of

PAGE = Path(__file__).with_name("page")
SCRIPTS = (
    "api",
    "charts",
    "compare",
    "console",
    "deployment",
    "deployments",
    "dialogs",
    "diff",
    "dom",
    "dora",
    "environments",
    "evidence",
    "fleet",
    "fleets",
    "history",
    "costs",
    "incidents",
    "live",
    "nights",
    "states",
)
ASSETS = {
    "/": ("index.html", "text/html; charset=utf-8"),
    "/console.css": ("console.css", "text/css; charset=utf-8"),
    **{f"/{name}.js": (f"{name}.js", "text/javascript; charset=utf-8") for name in SCRIPTS},
}
BODY_LIMIT = 256 * 1024  # the control API's own
_IDLE_S = 75

_OWN_PAGE = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
)
# A report holds data from outside: it gets an origin of its own and no scripts.
_REPORT_PAGE = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'"
# The same with the console's own origin: without it, the console would refuse what its links lead to.
_LINKED_PAGE = _REPORT_PAGE.replace("sandbox;", "sandbox allow-same-origin;", 1)
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",  # the address holds the token
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class Server(ThreadingHTTPServer):
    """One user's console. `client` signs; each connection of the browser gets a copy of it."""

    daemon_threads = True

    def __init__(self, client: Client, token: str, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.client, self.gate = client, Gate(self.server_port, token)

    @property
    def address(self) -> str:
        """The page, with the token."""
        return f"http://127.0.0.1:{self.server_port}/{self.gate.token}/"

    def handle_error(self, request: object, client_address: object) -> None:
        """Report an error, unless the browser closed the connection."""
        if not isinstance(sys.exc_info()[1], ConnectionError | TimeoutError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


class Handler(BaseHTTPRequestHandler):
    """One connection of the browser."""

    protocol_version = "HTTP/1.1"
    server_version, sys_version = "proxyctl-console", ""
    timeout = _IDLE_S

    def setup(self) -> None:
        super().setup()
        self.console = cast(Server, self.server)
        self.client = self.console.client.copy()

    def finish(self) -> None:
        super().finish()
        self.client.close()

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def _serve(self) -> None:
        try:
            behind = self.console.gate.enter(self.command, self.path, lambda name: self.headers.get_all(name) or [])
            path, _, query = behind.partition("?")
            if path.startswith("/api/"):
                self._forward(path.removeprefix("/api"), query)
            else:
                self._own(path)
        except Denied as denied:
            self._refuse(denied.status, str(denied))

    def _own(self, path: str) -> None:
        if self.command != "GET":
            raise Denied(405, f"{self.command} is not for this path")
        if path == "/about":
            self._answer(200, _json({"api": self.client.url, "region": self.client.region}), "application/json")
        elif path == "":
            self._answer(301, b"", "text/plain", {"Location": f"/{self.console.gate.token}/"})
        elif path in ASSETS:
            name, content_type = ASSETS[path]
            self._answer(200, (PAGE / name).read_bytes(), content_type)
        else:
            raise Denied(404, "the console has no such page")

    def _forward(self, path: str, query: str) -> None:
        route = find(self.command, path)
        target = path + query_of(route, query)
        body = self._body(route)
        key = self.headers.get("Idempotency-Key")
        headers = {"Idempotency-Key": key} if key else {}
        try:
            repeatable = route.method == "GET" or key is not None
            reply = self.client.call(route.method, target, body, headers, retry=repeatable)
        except ApiError as unreachable:
            self._answer(502, _json({"error": unreachable.error}), "application/json")
        except BotoCoreError as problem:
            self._answer(502, _json({"error": _no_credentials(problem)}), "application/json")
        else:
            if reply.status >= 400:
                self._answer(reply.status, _json({"error": error_of(reply)}), "application/json")
            elif route.content_type == "application/json":
                self._answer(reply.status, _json(reply.body), route.content_type)
            else:
                policy = _LINKED_PAGE if route.is_linked else _REPORT_PAGE
                self._answer(reply.status, str(reply.body).encode(), route.content_type, policy=policy)

    def _body(self, route: Route) -> Mapping[str, object] | None:
        lengths = self.headers.get_all("Content-Length") or []
        if "Transfer-Encoding" in self.headers or len(lengths) > 1 or not all(map(_is_length, lengths)):
            raise Denied(411, "the body needs one Content-Length")
        length = int(lengths[0]) if lengths else 0
        if length > BODY_LIMIT:
            raise Denied(413, f"the body is larger than {BODY_LIMIT} bytes")
        if not route.takes_body:
            if length:
                raise Denied(400, "this call has no body")
            return None
        if self.headers.get_content_type() != "application/json":
            raise Denied(415, "the body must be application/json")
        content = self.rfile.read(length)
        try:
            body = json.loads(content)
        except (ValueError, RecursionError):
            raise Denied(400, "the body is not JSON") from None
        if len(content) != length or not isinstance(body, dict):
            raise Denied(400, "the body is not a whole JSON object")
        return body

    def _refuse(self, status: int, message: str) -> None:
        # The body may be unread: the server could take it for the next request on this connection.
        self.close_connection = True
        body = {"error": {"code": "Refused", "message": message}}
        self._answer(status, _json(body), "application/json", {"Connection": "close"})

    def _answer(
        self,
        status: int,
        content: bytes,
        content_type: str,
        headers: Mapping[str, str] | None = None,
        *,
        policy: str = _OWN_PAGE,
    ) -> None:
        self.send_response(status)
        own = {
            "Content-Type": content_type,
            "Content-Length": str(len(content)),
            "Content-Security-Policy": policy,
        }
        for name, value in {**own, **_HEADERS, **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:  # noqa: ARG002
        """A refusal by http.server itself, in the shape of our own."""
        self._refuse(code, message or HTTPStatus(code).phrase)

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing: the path holds the token."""


def _is_length(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 12


def _json(value: object) -> bytes:
    return json.dumps(value).encode()


def _no_credentials(problem: BotoCoreError) -> dict[str, str]:
    return {
        "code": "NoCredentials",
        "message": f"cannot use these AWS credentials: {problem}",
        "remedy": "Sign in again in the terminal and restart the console.",
    }
