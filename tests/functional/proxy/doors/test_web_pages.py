"""A web page cannot spend the key of a local proxy that asks for none."""

from __future__ import annotations

import contextlib
import hashlib
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from tests.functional.proxy.rig import local_server, rig
from tests.functional.proxy.upstream import Upstream, chat

KEY = "client-key-1"
CLIENTS = [{"id": "a", "sha256": hashlib.sha256(KEY.encode()).hexdigest()}]
BODY = b'{"model":"m","messages":[]}'


@contextlib.contextmanager
def door(**secret: Any) -> Iterator[tuple[str, Upstream]]:
    with Upstream(chat()) as upstream, local_server(rig(upstream.base_url, **secret).parts) as url:
        yield url.removeprefix("http://").removesuffix("/v1"), upstream


def ask(address: str, *headers: str, method: str = "POST", path: str = "/v1/chat/completions") -> str:
    """The status line and headers of the answer."""
    host, _, port = address.partition(":")
    length = f"Content-Length: {len(BODY)}" if method == "POST" else "X: y"
    lines = "".join(f"{line}\r\n" for line in (f"{method} {path} HTTP/1.1", "Connection: close", length, *headers))
    with socket.create_connection((host, int(port)), timeout=10) as client, client.makefile("rb") as reader:
        client.sendall(lines.encode() + b"\r\n" + (BODY if method == "POST" else b""))
        return reader.read().decode()


@pytest.mark.parametrize(
    "headers",
    [
        ("Host: evil.example", "Origin: https://evil.example", "Content-Type: text/plain"),
        ("Host: localhost", "Origin: https://evil.example", "Content-Type: text/plain"),
        ("Host: localhost", "Origin: null"),
        ("Host: localhost", "Origin: http://localhost.evil.example"),
        ("Host: evil.example:8080",),
        ("Host: localhost.evil.example",),
        ("Host: 127.0.0.1.evil.example",),
        ("Host: 127.evil.example",),
        ("Host: 0.0.0.0",),
        ("Host: localhost", "Sec-Fetch-Site: cross-site"),
    ],
)
@pytest.mark.parametrize("method", ["POST", "GET"])
def test_what_a_foreign_page_sends_is_refused_before_it_goes_upstream(headers: tuple[str, ...], method: str) -> None:
    with door(cors_origins=["https://app.example"]) as (address, upstream):
        text = ask(address, *headers, method=method)
    assert text.startswith("HTTP/1.1 403")
    assert '"origin_not_allowed"' in text
    assert upstream.received == []


@pytest.mark.parametrize(
    "headers",
    [
        ("Host: localhost",),
        ("Host: LOCALHOST:1234",),
        ("Host: 127.0.0.1:8080",),
        ("Host: [::1]:8080",),
        ("Host: localhost", "Origin: https://app.example", "Sec-Fetch-Site: cross-site"),
        ("Host: localhost", "Sec-Fetch-Site: same-origin"),
        ("Host: localhost", "Sec-Fetch-Site: none"),
    ],
)
def test_programs_of_this_machine_and_allowed_origins_are_served(headers: tuple[str, ...]) -> None:
    with door(cors_origins=["https://app.example"]) as (address, upstream):
        assert ask(address, *headers).startswith("HTTP/1.1 200")
    assert len(upstream.received) == 1


def test_where_a_key_is_asked_for_no_page_has_it_and_any_host_is_served() -> None:
    with door(client_keys=CLIENTS) as (address, upstream):
        assert ask(address, "Host: proxy.example").startswith("HTTP/1.1 401")
        assert ask(address, "Host: proxy.example", f"Authorization: Bearer {KEY}").startswith("HTTP/1.1 200")
    assert len(upstream.received) == 1


def test_every_origin_may_be_allowed_but_never_a_foreign_host() -> None:
    with door(cors_origins=["*"]) as (address, _):
        assert ask(address, "Host: localhost", "Origin: https://any.example").startswith("HTTP/1.1 200")
        assert ask(address, "Host: any.example", "Origin: https://any.example").startswith("HTTP/1.1 403")


def test_health_is_for_everybody() -> None:
    with door() as (address, _):
        assert ask(address, "Host: any.example", method="GET", path="/health").startswith("HTTP/1.1 200")


@pytest.mark.parametrize("upgrade", ["websocket", "WebSocket", "h2c, websocket"])
def test_a_web_socket_is_refused_in_openais_shape_and_is_no_error_of_the_service(upgrade: str) -> None:
    with Upstream(chat()) as upstream:
        proxy = rig(upstream.base_url)
        headers = {"connection": "Upgrade", "upgrade": upgrade, "sec-websocket-key": "x"}
        answer = proxy.ask("/v1/responses", method="GET", headers=headers)
    assert (answer.status, answer.json()["error"]["code"]) == (426, "websocket_not_supported")
    assert answer.header("upgrade") == "HTTP/1.1"  # RFC 9110 section 15.5.22 asks for it
    assert '"stream": true' in answer.json()["error"]["message"]
    assert (proxy.lines()[0]["Errors"], upstream.received) == ([0.0], [])


def test_an_upgrade_to_http_2_is_passed_over() -> None:
    headers = {"connection": "Upgrade, HTTP2-Settings", "upgrade": "h2c", "http2-settings": "AAMAAABkAAQAAP__"}
    with Upstream(chat()) as upstream:
        assert rig(upstream.base_url).ask(headers=headers).status == 200
    assert not {"connection", "upgrade", "http2-settings"} & {name for name, _ in upstream.received[0].headers}
