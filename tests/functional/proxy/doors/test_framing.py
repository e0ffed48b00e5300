"""The local door's side of HTTP: where a message ends, what an old or a broken caller gets, and what is logged."""

from __future__ import annotations

import contextlib
import json
import socket
import time
from collections.abc import Iterator
from typing import IO, Any

import pytest

from proxy import clock
from proxy.exchange import Exchange
from proxy.message import Request, Response
from proxy.telemetry import Telemetry
from tests.functional.proxy.rig import local_server, rig
from tests.functional.proxy.upstream import Upstream, chat, events, short, stream

NOBODY = "http://127.0.0.1:9/v1"
GET_HEALTH = b"GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n"
CHAT_HEAD = b"POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
CHAT = b'{"model":"gpt-4o","messages":[]}'


class Noted(Telemetry):
    """Keeps what it was told instead of writing it."""

    def __init__(self) -> None:
        super().__init__("dev", "INFO", clock.SYSTEM)
        self.ended: list[Exchange] = []

    def request_ended(self, exchange: Exchange) -> None:
        self.ended.append(exchange)

    def single(self) -> Exchange:
        """The only request that ended; a caller may have its answer a moment before that."""
        until = time.monotonic() + 5.0
        while not self.ended and time.monotonic() < until:
            time.sleep(0.01)
        (ended,) = self.ended
        return ended


@contextlib.contextmanager
def door(
    base_url: str = NOBODY, body_limit: int = 1000, **secret: Any
) -> Iterator[tuple[socket.socket, IO[bytes], Noted]]:
    """A connection to a local server, a reader on it, and what the server notes."""
    result = rig(base_url, **secret)
    with local_server(result.parts, body_limit) as url:
        result.parts.telemetry = noted = Noted()
        with _connected(url) as (client, reader):
            yield client, reader, noted


def head(reader: IO[bytes]) -> tuple[int, dict[str, str]]:
    """(status, headers) of the next answer."""
    version, status, _ = reader.readline().split(b" ", 2)
    assert version == b"HTTP/1.1"
    headers = {}
    while line := reader.readline().strip():
        name, _, value = line.decode().partition(": ")
        headers[name] = value
    return int(status), headers


def answer(reader: IO[bytes]) -> tuple[int, dict[str, str], Any]:
    """(status, headers, JSON) of the next answer, which has a length."""
    status, headers = head(reader)
    return status, headers, json.loads(reader.read(int(headers["content-length"])))


@pytest.mark.parametrize(
    ("request_head", "status"),
    [
        (b"HEAD /health HTTP/1.1\r\nhost: localhost\r\n\r\n", 200),
        (b"HEAD /v1/models HTTP/1.1\r\nhost: localhost\r\n\r\n", 401),
        (b"HEAD /v1 HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer k\r\n\r\n", 401),
    ],
)
def test_an_own_answer_to_head_has_no_body_and_the_next_request_its_own_answer(
    request_head: bytes, status: int
) -> None:
    with door(client_keys=[{"id": "a", "sha256": "ab" * 32}]) as (client, reader, _):
        client.sendall(request_head + GET_HEALTH)
        assert head(reader)[0] == status
        assert answer(reader)[::2] == (200, {"status": "ok"})


@pytest.mark.parametrize("status", [204, 304])
def test_an_answer_without_content_is_not_chunked_and_the_connection_goes_on(status: int) -> None:
    def bare(_: Upstream, __: Any, client: socket.socket) -> bool:
        client.sendall(f"HTTP/1.1 {status} X\r\n\r\n".encode())
        return True

    with Upstream(bare) as upstream, door(upstream.base_url) as (client, reader, _):
        client.sendall(b"GET /v1/files HTTP/1.1\r\nhost: localhost\r\n\r\n" + GET_HEALTH)
        shown, headers = head(reader)
        assert (shown, "transfer-encoding" in headers) == (status, False)
        assert answer(reader)[0] == 200


@pytest.mark.parametrize(
    "sent",
    [
        b"content-length: 100\r\n\r\n" + CHAT,
        b"transfer-encoding: chunked\r\n\r\n20\r\n" + CHAT,
        b"transfer-encoding: chunked\r\n\r\n20\r\n" + CHAT + b"\r\n",
    ],
)
def test_half_a_body_never_goes_upstream(sent: bytes) -> None:
    with Upstream(chat()) as upstream, door(upstream.base_url) as (client, reader, noted):
        client.sendall(CHAT_HEAD + sent)
        client.shutdown(socket.SHUT_WR)
        assert answer(reader)[0] == 400
        assert reader.read() == b""
        assert noted.single().error == "caller_gone"
    assert upstream.received == []


@pytest.mark.parametrize(
    ("header", "status"),
    [
        (b"transfer-encoding: gzip, chunked", 501),
        (b"transfer-encoding: chunked\r\ncontent-length: 5", 400),
        (b"content-length: 0\r\ncontent-length: 33", 400),
        (b"content-length : 33", 400),
        (b"content-length: \xb2", 400),
    ],
)
def test_a_body_of_unclear_length_is_not_the_next_request(header: bytes, status: int) -> None:
    with Upstream(chat()) as upstream, door(upstream.base_url) as (client, reader, noted):
        client.sendall(CHAT_HEAD + header + b"\r\n\r\n" + GET_HEALTH)
        shown, headers, body = answer(reader)
        assert (shown, headers["connection"], body["error"]["code"]) == (status, "close", "invalid_header")
        client.shutdown(socket.SHUT_WR)
        assert reader.read() == b""
        assert (noted.single().status, noted.single().path) == (status, "/v1/chat/completions")
    assert upstream.received == []


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"GET /v1/models HTTP/x\r\n\r\n", 400),
        (b"GET /v1/models HTTP/2.0\r\n\r\n", 505),
        (b"GET /v1/models\r\n\r\n", 505),
        (b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\n\r\n", 414),
        (b"GET /v1/models HTTP/1.1\r\n" + b"x: y\r\n" * 200 + b"\r\n", 431),
        (b"GET /v1/models HTTP/1.1\r\nx: " + b"a" * 70_000 + b"\r\n\r\n", 431),
    ],
)
def test_what_is_no_request_is_answered_in_openais_shape_and_logged_without_its_text(sent: bytes, status: int) -> None:
    with door() as (client, reader, noted):
        client.sendall(sent)
        client.shutdown(socket.SHUT_WR)
        shown, headers, body = answer(reader)
        assert (shown, headers["connection"], body["error"]["code"]) == (status, "close", "malformed_request")
        assert "nonsense" not in body["error"]["message"]
        assert (noted.single().status, noted.single().error) == (status, "malformed_request")


@pytest.mark.parametrize("method", ["TRACE", "PROPFIND", "CONNECT", "get"])
def test_an_unknown_method_is_a_405_that_names_those_there_are(method: str) -> None:
    with door() as (client, reader, _):
        client.sendall(f"{method} /v1/models HTTP/1.1\r\nhost: localhost\r\n\r\n".encode() + GET_HEALTH)
        status, headers, body = answer(reader)
        assert (status, body["error"]["code"]) == (405, "method_not_allowed")
        assert "POST" in headers["allow"]
        assert answer(reader)[0] == 200


@pytest.mark.parametrize("keep", [b"", b"connection: keep-alive\r\n"])
def test_a_caller_of_http_1_0_gets_no_chunks_and_the_connections_end(keep: bytes) -> None:
    chunks = events("a", "b")
    with Upstream(stream(chunks)) as upstream, door(upstream.base_url) as (client, reader, _):
        client.sendall(CHAT_HEAD.replace(b"1.1", b"1.0") + keep + b"content-length: %d\r\n\r\n" % len(CHAT) + CHAT)
        status, headers = head(reader)
        assert (status, headers["connection"], "transfer-encoding" in headers) == (200, "close", False)
        assert reader.read() == b"".join(chunks)


def test_an_empty_line_behind_a_body_is_not_the_next_request() -> None:
    with Upstream(chat()) as upstream, door(upstream.base_url) as (client, reader, _):
        client.sendall(CHAT_HEAD + b"content-length: %d\r\n\r\n" % len(CHAT) + CHAT + b"\r\n" + GET_HEALTH)
        assert answer(reader)[0] == 200
        assert answer(reader)[::2] == (200, {"status": "ok"})


def test_who_asks_to_close_is_told_so() -> None:
    with door() as (client, reader, _):
        client.sendall(b"GET /health HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
        assert answer(reader)[1]["connection"] == "close"
        assert reader.read() == b""


def test_a_caller_that_waits_to_be_asked_for_its_body_is_asked_at_once() -> None:
    with Upstream(chat()) as upstream, door(upstream.base_url) as (client, reader, _):
        client.sendall(CHAT_HEAD + b"expect: 100-continue\r\ncontent-length: %d\r\n\r\n" % len(CHAT))
        assert head(reader)[0] == 100
        client.sendall(CHAT)
        assert answer(reader)[0] == 200


class Buggy:
    """A core with a bug, which shows in the answer or in its body."""

    def __init__(self, real: Any, *, in_body: bool) -> None:
        self._real = real
        self._in_body = in_body

    def respond(self, request: Request) -> Response:
        if not self._in_body:
            raise ZeroDivisionError
        response: Response = self._real.respond(request)
        response.headers = [pair for pair in response.headers if pair[0] != "content-length"]
        response.body = (b"x" * (1 // size) for size in (1, 0))
        return response

    def admit(self, request: Request) -> None:
        """Bodies are always read."""

    def refuse(self, request: Request, error: Any) -> Any:
        return self._real.refuse(request, error)


def test_a_bug_is_answered_with_a_500_in_openais_shape_and_logged(capfd: pytest.CaptureFixture[str]) -> None:
    result = rig(NOBODY)
    result.parts.proxy = Buggy(result.parts.proxy, in_body=False)  # type: ignore[assignment]
    with local_server(result.parts) as url:
        result.parts.telemetry = noted = Noted()
        with _connected(url) as (client, reader):
            client.sendall(GET_HEALTH)
            status, headers, body = answer(reader)
            assert (status, body["error"]["code"]) == (500, "internal_error")
            assert headers["x-request-id"] == noted.single().request_id
            assert (noted.single().status, noted.single().error) == (500, "internal_error")
    assert "ZeroDivisionError" in capfd.readouterr().err


def test_a_bug_in_mid_answer_leaves_it_visibly_incomplete_and_is_logged() -> None:
    result = rig(NOBODY)
    result.parts.proxy = Buggy(result.parts.proxy, in_body=True)  # type: ignore[assignment]
    with local_server(result.parts) as url:
        result.parts.telemetry = noted = Noted()
        with _connected(url) as (client, reader):
            client.sendall(GET_HEALTH)
            assert head(reader)[1]["transfer-encoding"] == "chunked"
            assert reader.read() == b"1\r\nx\r\n"
            assert noted.single().error == "internal_error"


def test_an_answer_cut_short_by_the_upstream_closes_the_connection_before_its_length() -> None:
    with Upstream(short(10, b"abc")) as upstream, door(upstream.base_url) as (client, reader, noted):
        client.sendall(b"GET /v1/files/x/content HTTP/1.1\r\nhost: localhost\r\n\r\n")
        assert head(reader)[1]["content-length"] == "10"
        assert reader.read() == b"abc"
        assert noted.single().error == "upstream_disconnected"


def test_a_models_name_in_any_script_fits_into_the_header_that_tells_it() -> None:
    models = {"fast": {"target": "модель/1"}}
    with Upstream(chat()) as upstream, door(upstream.base_url, models=models) as (client, reader, _):
        body = CHAT.replace(b"gpt-4o", b"fast")
        client.sendall(CHAT_HEAD + b"content-length: %d\r\n\r\n" % len(body) + body)
        status, headers, _ = answer(reader)
    assert (status, headers["x-proxy-model"]) == (200, "%D0%BC%D0%BE%D0%B4%D0%B5%D0%BB%D1%8C/1")
    assert upstream.received[0].json()["model"] == "модель/1"


@contextlib.contextmanager
def _connected(url: str) -> Iterator[tuple[socket.socket, IO[bytes]]]:
    host, _, port = url.removeprefix("http://").removesuffix("/v1").partition(":")
    with socket.create_connection((host, int(port)), timeout=10) as client, client.makefile("rb") as reader:
        yield client, reader
