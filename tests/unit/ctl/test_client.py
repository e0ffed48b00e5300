"""Signed calls: what a server sees, what a refusal becomes, and what is repeated."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from ctl.client import ApiError, Client
from local import emulator
from local.state import Keys


class Server:
    """Answers with what is queued, then with 200 {}; keeps what it was asked."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, Any]] = []
        self.asked: list[tuple[str, str, dict[str, str], bytes]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _any(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                outer.asked.append((self.command, self.path, {k.lower(): v for k, v in self.headers.items()}, body))
                status, answer = outer.answers.pop(0) if outer.answers else (200, {})
                content = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_PUT = _any

            def log_message(self, format: str, *args: Any) -> None:
                """Quiet."""

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.client = self._client()

    def _client(self) -> Client:
        session = emulator.session("eu-central-1", Keys("AKIATEST", "secret"))
        return Client(f"http://127.0.0.1:{self.http.server_port}/api/", session, "eu-central-1")


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    thread = threading.Thread(target=made.http.serve_forever, daemon=True)
    thread.start()
    yield made
    made.http.shutdown()
    made.http.server_close()


def test_calls_are_signed_for_the_api_in_its_region(server: Server) -> None:
    server.client.health()
    method, path, headers, _ = server.asked[0]
    assert (method, path) == ("GET", "/api/health")
    assert headers["authorization"].startswith("AWS4-HMAC-SHA256 Credential=AKIATEST/")
    assert "/eu-central-1/execute-api/aws4_request" in headers["authorization"]


def test_a_refusal_carries_code_message_and_remedy(server: Server) -> None:
    error = {"code": "EnvironmentBusy", "message": "dev is busy", "remedy": "Wait.", "holder": "d-1"}
    server.answers = [(409, {"error": error})]
    with pytest.raises(ApiError) as refused:
        server.client.start({"environment": "dev", "action": "deploy"})
    assert (refused.value.status, refused.value.error["holder"]) == (409, "d-1")
    assert refused.value.told() == "EnvironmentBusy: dev is busy (Wait.)"


def test_what_api_gateway_itself_refuses_is_told_too(server: Server) -> None:
    server.answers = [(403, {"message": "Missing Authentication Token"})]
    with pytest.raises(ApiError, match="Http403: Missing Authentication Token"):
        server.client.health()


def test_a_busy_server_is_asked_again(server: Server) -> None:
    server.answers = [(503, b"busy"), (200, {"status": "ok"})]
    assert server.client.health() == {"status": "ok"}


def test_a_start_is_repeated_only_under_an_idempotency_key(server: Server) -> None:
    """Without one, a repeated POST could start a second rollout."""
    server.answers = [(503, {"error": {"code": "Throttled", "message": "x"}})]
    with pytest.raises(ApiError):
        server.client.start({"environment": "dev"})
    assert len(server.asked) == 1
    server.answers = [(503, {"error": {"code": "Throttled", "message": "x"}}), (202, {"id": "d-1"})]
    assert server.client.start({"environment": "dev"}, "key")["id"] == "d-1"
    assert [headers.get("idempotency-key") for _, _, headers, _ in server.asked[1:]] == ["key", "key"]


def test_following_ends_with_the_deployment(server: Server) -> None:
    states = ["RUNNING", "RUNNING", "ROLLED_BACK", "NEVER ASKED"]
    server.answers = [(200, {"status": status, "phases": []}) for status in states]
    assert [shown["status"] for shown in server.client.follow("d-1")] == states[:3]


def test_names_cannot_leave_their_place_in_the_path(server: Server) -> None:
    server.client.deployment("../environments")
    assert server.asked[0][1] == "/api/deployments/..%2Fenvironments"
