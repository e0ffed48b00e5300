"""The console over real HTTP, before a control API that remembers what reaches it."""

from __future__ import annotations

import http.client
import json
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ctl.console.server import ASSETS, BODY_LIMIT, PAGE, Server
from tests.fakes.control_api import REGION, ControlApi, control_api

ROOT = Path(__file__).resolve().parents[3]
TOKEN = "t0ken"
BUSY = {"code": "EnvironmentBusy", "message": "dev is busy", "field": "environment", "remedy": "Wait.", "holder": "d-1"}


@dataclass(frozen=True)
class Told:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Console:
    server: Server
    api: ControlApi

    def ask(self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> Told:
        """What the console's own page would send; `headers` change that."""
        port = self.server.server_port
        own = {"Host": f"127.0.0.1:{port}", "Origin": f"http://127.0.0.1:{port}"}
        content = {"Content-Type": "application/json"} if body is not None else {}
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        try:
            connection.request(method, path, body, own | content | (headers or {}))
            answer = connection.getresponse()
            return Told(answer.status, answer.headers, answer.read())
        finally:
            connection.close()

    def raw(self, head: str) -> bytes:
        """All that comes back for these bytes."""
        with socket.create_connection(("127.0.0.1", self.server.server_port), timeout=20) as connection:
            connection.sendall(head.replace("\n", "\r\n").encode())
            connection.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: connection.recv(65_536), b""))


@pytest.fixture(scope="module")
def listening() -> Iterator[Console]:
    with control_api() as api, Server(api.client, TOKEN) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield Console(server, api)
        server.shutdown()


@pytest.fixture
def console(listening: Console) -> Console:
    listening.api.requests.clear()
    listening.api.answers.clear()
    return listening


@pytest.mark.parametrize(
    ("path", "content_type", "beginning"),
    [
        ("/", "text/html; charset=utf-8", b"<!doctype html>"),
        ("/console.css", "text/css; charset=utf-8", b":root"),
        ("/console.js", "text/javascript; charset=utf-8", b"// The console"),
    ],
)
def test_the_page_comes_with_its_types_and_may_load_nothing_from_elsewhere(
    console: Console, path: str, content_type: str, beginning: bytes
) -> None:
    answer = console.ask("GET", f"/{TOKEN}{path}")
    assert (answer.status, answer.headers["Content-Type"]) == (200, content_type)
    assert answer.body.startswith(beginning)
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Cache-Control"] == "no-store"
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'")
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy


def test_every_file_of_the_page_is_served_and_every_import_is_one_of_them(console: Console) -> None:
    files = {path.name for path in PAGE.iterdir()}
    assert {name for name, _ in ASSETS.values()} == files
    named = [re.findall(r'from "\./([^"]+)"', path.read_text()) for path in PAGE.glob("*.js")]
    assert {name for names in named for name in names} < files
    for path in ASSETS:
        assert console.ask("GET", f"/{TOKEN}{path}").status == 200


def test_the_page_writes_text_and_never_markup() -> None:
    """What is not in it cannot run what others wrote; and nothing in it is loaded from outside."""
    script, page = "".join(path.read_text() for path in PAGE.glob("*.js")), (PAGE / "index.html").read_text()
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function|srcdoc", script)
    assert not re.search(r"\son\w+=|<style|\sstyle=|<script(?![^>]*\ssrc=)", page)
    styles = (PAGE / "console.css").read_text()
    outside = re.findall(r"https?://[^\s'\"]+", page + script + styles)
    assert set(outside) == {"http://www.w3.org/2000/svg"}, "a namespace, not an address"
    assert "@import" not in styles
    assert "url(" not in styles


@pytest.mark.parametrize("path", ["/", "/favicon.ico", "/wrong/", "/wrong/api/environments", f"/x/{TOKEN}/", "/t0ke/"])
def test_without_the_token_neither_the_page_nor_the_api_is_there(console: Console, path: str) -> None:
    answer = console.ask("GET", path)
    assert answer.status == 403
    assert b"doctype" not in answer.body
    assert not console.api.requests


def test_another_host_is_refused(console: Console) -> None:
    assert console.ask("GET", f"/{TOKEN}/api/environments", headers={"Host": "evil.example"}).status == 403
    assert (
        console.ask("GET", f"/{TOKEN}/", headers={"Host": f"evil.example:{console.server.server_port}"}).status == 403
    )
    assert b" 403 " in console.raw(f"GET /{TOKEN}/ HTTP/1.0\n\n")
    assert not console.api.requests


def test_another_origin_is_refused(console: Console) -> None:
    path = f"/{TOKEN}/api/deployments/d-1/abort"
    assert console.ask("POST", path, headers={"Origin": "http://evil.example"}).status == 403
    assert console.ask("POST", path, headers={"Sec-Fetch-Site": "cross-site"}).status == 403
    answer = console.raw(f"POST {path} HTTP/1.1\nHost: 127.0.0.1:{console.server.server_port}\nContent-Length: 0\n\n")
    assert b" 403 " in answer
    assert not console.api.requests


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/openapi.json", 404),
        ("GET", "/api/environments/dev/secret", 404),
        ("GET", "/api/environments/../deployments", 404),
        ("GET", "/api/environments/%2e%2e", 404),
        ("GET", "/api/../console.js", 404),
        ("GET", "/../../pyproject.toml", 404),
        ("GET", "/%2e%2e/server.py", 404),
        ("GET", "/console.js/../index.html", 404),
        ("GET", "/index.html", 404),
        ("GET", "/api/deployments?x=1", 400),
        ("POST", "/api/environments", 405),
        ("POST", "/", 405),
        ("PUT", "/api/environments/dev/secret", 501),
        ("DELETE", "/api/deployments/d-1", 501),
        ("OPTIONS", "/api/deployments", 501),
    ],
)
def test_nothing_but_its_routes_is_passed_on(console: Console, method: str, path: str, status: int) -> None:
    answer = console.ask(method, f"/{TOKEN}{path}")
    assert (answer.status, answer.json["error"]["code"]) == (status, "Refused")
    assert not console.api.requests


def test_a_call_is_passed_on_signed_and_its_answer_comes_back(console: Console) -> None:
    console.api.answers = [(200, {"deployments": [], "cursor": None})]
    answer = console.ask("GET", f"/{TOKEN}/api/deployments?environment=dev&cursor=a%3D", headers={"Cookie": "theirs=1"})
    assert (answer.status, answer.json) == (200, {"deployments": [], "cursor": None})
    request = console.api.requests[0]
    assert (request.method, request.path) == ("GET", "/api/deployments?environment=dev&cursor=a%3D")
    assert request.headers["authorization"].startswith("AWS4-HMAC-SHA256 Credential=AKIATEST/")
    assert {"cookie", "origin"}.isdisjoint(request.headers)


def test_a_start_keeps_its_body_and_its_key(console: Console) -> None:
    console.api.answers = [(503, {"error": {"code": "Throttled", "message": "x"}}), (202, {"id": "d-1"})]
    body = {"environment": "dev", "action": "plan", "options": {"reason": "n\u00f6"}}
    answer = console.ask("POST", f"/{TOKEN}/api/deployments", json.dumps(body).encode(), {"Idempotency-Key": "k-1"})
    assert (answer.status, answer.json) == (202, {"id": "d-1"})
    assert [(request.json, request.headers["idempotency-key"]) for request in console.api.requests] == [
        (body, "k-1")
    ] * 2


def test_without_a_key_nothing_is_started_twice(console: Console) -> None:
    console.api.answers = [(503, {"error": {"code": "Throttled", "message": "x"}})]
    assert console.ask("POST", f"/{TOKEN}/api/deployments", b"{}").status == 503
    assert len(console.api.requests) == 1


def test_a_refusal_of_the_api_comes_whole(console: Console) -> None:
    console.api.answers = [(409, {"error": BUSY})]
    answer = console.ask("POST", f"/{TOKEN}/api/deployments", b'{"environment": "dev"}')
    assert (answer.status, answer.json) == (409, {"error": BUSY})
    console.api.answers = [(403, {"message": "Forbidden"})]
    assert console.ask("GET", f"/{TOKEN}/api/health").json["error"] == {"code": "Http403", "message": "Forbidden"}


def test_an_answer_to_a_waiting_deployment_has_no_body(console: Console) -> None:
    console.api.answers = [(202, {"id": "d-1", "status": "RUNNING"})]
    assert console.ask("POST", f"/{TOKEN}/api/deployments/d-1/approve").status == 202
    assert console.ask("POST", f"/{TOKEN}/api/deployments/d-1/approve", b"{}").status == 400
    assert [(request.method, request.path, request.body) for request in console.api.requests] == [
        ("POST", "/api/deployments/d-1/approve", b"")
    ]


def test_a_fleet_deployment_is_answered_with_the_query_of_its_route_only(console: Console) -> None:
    path = f"/{TOKEN}/api/fleets/shops/deployments/f-1"
    console.api.answers = [(202, {}), (202, {}), (202, {})]
    for verb in ("approve", "abort", "abort?roll_back=true"):
        assert console.ask("POST", f"{path}/{verb}").status == 202
    assert console.ask("POST", f"{path}/approve?roll_back=true").status == 400
    assert console.ask("POST", f"{path}/resume").status == 404
    assert console.ask("POST", f"/{TOKEN}/api/fleets/shops/deployments", b"{}").status == 405
    assert len(console.api.requests) == 3


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"{", {}, 400),
        (b"[]", {}, 400),
        (b"[" * 100_000, {}, 400),
        (b"", {}, 400),
        (b"{}", {"Content-Type": "text/plain"}, 415),  # what a form on another page could send without being asked
        (b"{}", {"Transfer-Encoding": "chunked"}, 411),
        (b"{}", {"Content-Length": "+2"}, 411),
        (b"{}", {"Content-Length": str(BODY_LIMIT + 1)}, 413),
    ],
)
def test_a_body_that_is_none_goes_nowhere(console: Console, body: bytes, headers: dict[str, str], status: int) -> None:
    answer = console.ask("POST", f"/{TOKEN}/api/deployments", body, headers)
    assert (answer.status, answer.headers["Connection"]) == (status, "close")
    assert not console.api.requests


def test_a_report_cannot_act_on_the_console(console: Console) -> None:
    """It is others' markup on the console's own address: it runs no script and counts as from nowhere."""
    console.api.answers = [(200, b"<!doctype html><script>alert(1)</script>")]
    answer = console.ask("GET", f"/{TOKEN}/api/deployments/d-1/report")
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("sandbox; default-src 'none'")
    assert "script" not in policy
    console.api.answers = [(200, b"# Handoff")]
    answer = console.ask("GET", f"/{TOKEN}/api/deployments/d-1/handoff")
    assert (answer.headers["Content-Type"], answer.body) == ("text/plain; charset=utf-8", b"# Handoff")


def test_the_report_of_a_fleet_keeps_the_consoles_origin_for_its_links_and_gets_no_scripts(console: Console) -> None:
    console.api.answers = [(200, b"<!doctype html>")]
    policy = console.ask("GET", f"/{TOKEN}/api/fleets/shops/deployments/f-1/report").headers["Content-Security-Policy"]
    assert policy.startswith("sandbox allow-same-origin; default-src 'none'")
    assert "script" not in policy


def test_it_tells_which_control_plane_it_acts_on(console: Console) -> None:
    assert console.ask("GET", f"/{TOKEN}/about").json == {"api": console.api.url, "region": REGION}


def test_a_malformed_request_is_answered_in_the_same_shape(console: Console) -> None:
    answer = console.raw("nonsense\n\n")
    assert b"<html" not in answer
    assert b"Traceback" not in answer


def test_started_from_the_command_line_it_prints_its_address_and_ends_when_told(tmp_path: Path) -> None:
    with control_api() as api:
        variables = {"CONTROL_API_URL": api.url, "AWS_REGION": REGION, "HOME": str(tmp_path)}
        keys = {"AWS_ACCESS_KEY_ID": "AKIATEST", "AWS_SECRET_ACCESS_KEY": "secret"}
        process = subprocess.Popen(
            [sys.executable, "-m", "ctl", "console"], cwd=ROOT, env=variables | keys, stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        try:
            address = next(
                line for line in process.stdout if "http://127.0.0.1:" in line and line.startswith("  ")
            ).strip()
            _, _, host, token, _ = address.split("/")
            assert len(token) >= 32
            connection = http.client.HTTPConnection(host, timeout=20)
            connection.request("GET", f"/{token}/")
            assert connection.getresponse().status == 200
            connection.close()
        finally:
            process.send_signal(signal.SIGTERM)
            rest, _ = process.communicate(timeout=20)
        assert process.returncode == 0
        assert "ended" in rest


def test_a_taken_port_is_one_line(console: Console) -> None:
    variables = {"CONTROL_API_URL": console.api.url, "AWS_REGION": REGION}
    keys = {"AWS_ACCESS_KEY_ID": "AKIATEST", "AWS_SECRET_ACCESS_KEY": "secret"}
    port = str(console.server.server_port)
    command = [sys.executable, "-m", "ctl", "console", "--port", port]
    done = subprocess.run(command, cwd=ROOT, env=variables | keys, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert done.stderr.startswith(f"proxyctl: cannot listen on port {port}: ")
