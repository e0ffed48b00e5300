"""Whatever an upstream sends: the caller gets an answer, and the request its line."""

from __future__ import annotations

import json
import socket
from typing import NoReturn

import pytest

from tests.functional.proxy.rig import rig
from tests.functional.proxy.upstream import Behaviour, Seen, Upstream, chat, reply


def raw(text: bytes) -> Behaviour:
    """These bytes, then the end of the connection."""

    def behave(_: Upstream, __: Seen, client: socket.socket) -> bool:
        client.sendall(text)
        return False

    return behave


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 50_000,
        b'{"data": ' + b"[" * 50_000,
        b'{"data": [1, null, {}, {"id": {}}, {"id": [1]}, {"id": null}]}',
        b'{"data": "x"}',
        b'{"id": ["x"]}',
    ],
)
@pytest.mark.parametrize("path", ["/v1/models", "/v1/models/fast"])
def test_a_list_of_models_that_is_none_passes_or_gains_the_aliases(path: str, body: bytes) -> None:
    with Upstream(reply(200, body)) as upstream:
        answer = rig(upstream.base_url, models={"fast": {"target": "x"}}).ask(path, method="GET")
    assert (answer.status, answer.broken) == (200, None)
    assert answer.body == body or b'"fast"' in answer.body


@pytest.mark.parametrize(
    "usage",
    [
        b'{"prompt_tokens": 1' + b"0" * 400 + b"}",
        b'{"prompt_tokens": 1' + b"0" * 5000 + b"}",
        b"[" * 5000,
        b'{"prompt_tokens": -1, "completion_tokens": true}',
    ],
)
def test_a_usage_that_is_none_costs_neither_the_answer_nor_its_line(usage: bytes) -> None:
    with Upstream(reply(200, b'{"usage": ' + usage + b"}")) as upstream:
        proxy = rig(upstream.base_url)
        answer = proxy.ask()
    assert (answer.status, answer.body[-1:], answer.broken) == (200, b"}", None)
    (line,) = proxy.lines()
    assert (line["message"], "TokensIn" in line) == ("request", False)


def test_a_folded_header_reaches_the_caller_in_one_line() -> None:
    folded = b"HTTP/1.1 200 OK\r\nx-long: a\r\n\tb\r\nx-odd: a\x00b\x7f\xe9\r\ncontent-length: 2\r\n\r\n{}"
    with Upstream(raw(folded)) as upstream:
        answer = rig(upstream.base_url).ask()
    assert answer.header("x-long") == "a b"
    assert answer.header("x-odd") == "a b é"


def test_interim_answers_are_not_taken_for_the_answer() -> None:
    early = b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n"
    hello = b"HTTP/1.1 100 Continue\r\n\r\n" + early * 2 + b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"
    with Upstream(raw(hello)) as upstream:
        answer = rig(upstream.base_url).ask()
    assert (answer.status, answer.body, answer.header("link")) == (200, b"{}", None)


def test_an_upstream_that_changes_the_protocol_is_a_502() -> None:
    with Upstream(raw(b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\n\r\n")) as upstream:
        answer = rig(upstream.base_url, retries=0).ask()
    assert (answer.status, answer.json()["error"]["code"]) == (502, "upstream_malformed")


@pytest.mark.parametrize("kind", ["multipart/form-data; boundary=ж", "multipart/form-data; boundary=\ud800"])
def test_a_header_that_no_line_can_carry_is_the_callers_error(kind: str) -> None:
    with Upstream(chat()) as upstream:
        answer = rig(upstream.base_url).ask(body=b"--x", headers={"content-type": kind})
    assert (answer.status, answer.json()["error"]["code"]) == (400, "invalid_header")


@pytest.mark.parametrize("method", ["\ud800", "X" * 10_000])
def test_a_method_that_is_none_is_a_405_and_its_line_is_short(method: str) -> None:
    proxy = rig("http://127.0.0.1:9/v1")
    answer = proxy.ask(method=method)
    assert answer.status == 405
    assert len(proxy.lines()[0]["method"]) <= 128


def test_a_line_that_cannot_be_written_costs_no_answer_and_is_missed_aloud(capsys: pytest.CaptureFixture[str]) -> None:
    proxy = rig("http://127.0.0.1:9/v1")

    def buggy() -> NoReturn:
        raise ZeroDivisionError("sk-SECRET")

    proxy.parts.telemetry._tools = buggy  # type: ignore[method-assign]
    assert proxy.ask("/health", method="GET").status == 200
    proxy.parts.telemetry.secret_failed("x")
    shown = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [line["message"] for line in shown] == ["no line: request", "no line: secret unusable"]
    assert "SECRET" not in str(shown)
