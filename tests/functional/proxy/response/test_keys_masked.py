"""The provider's key never comes back: not in an answer, a header, a stream or the log, however it is cut."""

from __future__ import annotations

import gzip
import json
import socket
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.response.mask import BodyMask
from tests.functional.proxy.rig import rig
from tests.functional.proxy.upstream import Behaviour, Upstream, events, reply, stream

KEY = "sk-THEKEY-0123456789abcdef"
MASKED = "*" * len(KEY)
TEXT = f"Incorrect API key provided: {KEY}. {KEY}"


def in_pieces(status: int, body: bytes, kind: str, size: int) -> Behaviour:
    def behave(_: Upstream, __: Any, client: socket.socket) -> bool:
        head = f"HTTP/1.1 {status} X\r\ncontent-type: {kind}\r\ntransfer-encoding: chunked\r\n\r\n"
        pieces = [body[at : at + size] for at in range(0, len(body), size)]
        client.sendall(head.encode() + b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces))
        client.sendall(b"0\r\n\r\n")
        return True

    return behave


@pytest.mark.parametrize("status", [400, 401, 500])
@pytest.mark.parametrize("size", [1, 7, 10_000])
@pytest.mark.parametrize("kind", ["application/json", "text/html", "text/event-stream"])
def test_a_key_in_an_error_is_masked_across_chunks(status: int, size: int, kind: str) -> None:
    body = json.dumps({"error": {"message": TEXT}}).encode() + b"\n\n"
    with Upstream(in_pieces(status, body, kind, size)) as upstream:
        answer = rig(upstream.base_url, api_key=KEY, retries=0).ask()
    assert answer.body.decode() == body.decode().replace(KEY, MASKED)


@pytest.mark.parametrize("name", ["x-request-id", "www-authenticate", "x-debug", "location"])
@pytest.mark.parametrize("status", [200, 401])
def test_a_key_in_a_header_reaches_neither_the_caller_nor_the_log(name: str, status: int) -> None:
    with Upstream(reply(status, {}, [(name, f"/v1/{KEY}")])) as upstream:
        proxy = rig(upstream.base_url, api_key=KEY, retries=0)
        answer = proxy.ask()
    assert KEY not in str(answer.headers)
    assert KEY not in proxy.log.getvalue()


@pytest.mark.parametrize("size", [1, 11, 10_000])
def test_a_key_in_a_stream_is_masked(size: int) -> None:
    body = b"".join(events(TEXT)) + f'data: {{"error": {{"message": "{KEY}"}}}}\n\n'.encode()
    with Upstream(in_pieces(200, body, "text/event-stream", size)) as upstream:
        answer = rig(upstream.base_url, api_key=KEY).ask()
    assert answer.body.decode() == body.decode().replace(KEY, MASKED)


@pytest.mark.parametrize("error", [{"code": KEY}, {"type": KEY}, KEY], ids=["code", "type", "error"])
def test_a_key_as_the_code_of_an_error_within_a_stream_is_not_logged(error: object) -> None:
    with Upstream(stream([b"data: " + json.dumps({"error": error}).encode() + b"\n\n"])) as upstream:
        proxy = rig(upstream.base_url, api_key=KEY)
        answer = proxy.ask()
    assert KEY.encode() not in answer.body
    assert KEY not in proxy.log.getvalue()
    assert proxy.lines()[0]["upstream_error"]


def test_a_key_in_a_compressed_error_is_masked() -> None:
    body = gzip.compress(json.dumps({"error": {"message": TEXT}}).encode())
    with Upstream(reply(401, body, [("content-encoding", "gzip")])) as upstream:
        answer = rig(upstream.base_url, api_key=KEY).ask()
    assert KEY not in answer.body.decode()
    assert MASKED in answer.body.decode()


ODD = "sk-a/b+c=d&e-0123456789abcdef"


@pytest.mark.parametrize(
    "spelling",
    [
        ODD,
        "sk-a\\/b+c=d&e-0123456789abcdef",
        "sk-a/b\\u002Bc=d\\u0026e-0123456789abcdef",
        "sk-a/b+c=d\\u0026e-0123456789abcdef",
        "sk-a/b+c\\u003dd\\u0026e-0123456789abcdef",
        "sk-a%2Fb%2Bc%3Dd%26e-0123456789abcdef",
        "sk-a%2fb%2bc%3dd%26e-0123456789abcdef",
    ],
    ids=["plain", "php", "net", "go", "gson", "url", "url-lower"],
)
@pytest.mark.parametrize("size", [1, 10_000])
def test_a_key_that_its_writer_has_escaped_is_masked(spelling: str, size: int) -> None:
    body = f'{{"error":{{"message":"no {spelling} here"}}}}'
    with Upstream(in_pieces(401, body.encode(), "application/json", size)) as upstream:
        answer = rig(upstream.base_url, api_key=ODD).ask()
    assert answer.body.decode() == body.replace(spelling, "*" * len(spelling))


def test_a_key_in_an_event_too_long_to_be_held_back_is_masked_across_chunks() -> None:
    start = b'data: {"choices":[],"x":"' + b"y" * 1_048_600
    rest = f'{KEY}"}}\n\ndata: [DONE]\n\n'.encode()
    pieces = [start, rest[:9], rest[9:20], rest[20:]]
    with Upstream(stream(pieces, delay_s=0.1)) as upstream:
        answer = rig(upstream.base_url, api_key=KEY).ask()
    assert answer.body == b"".join(pieces).replace(KEY.encode(), MASKED.encode())


def test_a_short_key_is_masked_in_errors_and_may_be_a_word_of_other_answers() -> None:
    body = {"owned_by": "ollama"}
    with Upstream(reply(200, body), script=[reply(404, body)]) as upstream:
        proxy = rig(upstream.base_url, api_key="ollama")
        assert proxy.ask().json() == {"owned_by": "******"}
        assert proxy.ask().json() == body


def test_the_length_of_a_masked_answer_stays() -> None:
    with Upstream(reply(401, {"error": TEXT})) as upstream:
        answer = rig(upstream.base_url, api_key=KEY).ask()
    assert answer.header("content-length") == str(len(answer.body))


def test_an_ordinary_stream_passes_chunk_by_chunk() -> None:
    chunks = events("s", "sk-", "a sk")
    with Upstream(stream(chunks, delay_s=0.02)) as upstream:
        assert rig(upstream.base_url, api_key=KEY).ask().chunks == chunks


@given(st.lists(st.sampled_from([b"ab", b"a", b"b", b"aab", b"x"]), max_size=12))
def test_whatever_the_cuts_no_key_passes_and_nothing_else_changes(chunks: list[bytes]) -> None:
    mask = BodyMask((b"aab", b"xab"))
    out = b"".join(mask.feed(chunk) for chunk in chunks) + mask.finish()
    assert len(out) == sum(map(len, chunks))
    assert b"aab" not in out
    assert b"xab" not in out
    if b"aab" not in b"".join(chunks) and b"xab" not in b"".join(chunks):
        assert out == b"".join(chunks)
