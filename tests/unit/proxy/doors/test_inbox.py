"""From bytes to requests: the same ones however the bytes arrive, and never one inside another's body."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.doors.inbox import Inbox, Refused
from proxy.errors import ProxyError, missing_key
from proxy.message import Request

LIMIT = 1000
HEAD = b"POST /v1/x?y=z HTTP/1.1\r\nHost: localhost\r\n"


def inbox(limit: int = LIMIT) -> Inbox:
    return Inbox(limit, lambda _: None, -1)


def requests(pieces: list[bytes], box: Inbox | None = None) -> list[tuple[str, str, bytes]]:
    """(method, path, body) of all requests in the bytes."""
    box = box or inbox()
    taken = []
    for piece in pieces:
        box.feed(piece)
        while (request := box.next()) is not None:
            taken.append((request.method, request.path, bytes(request.body)))
    return taken


PIPELINE = (
    HEAD + b"Content-Length: 5\r\n\r\nhello" + b"\r\n" + b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"
    b"POST /c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
    b"GET http://127.0.0.1:8/d HTTP/1.1\r\nHost: x\r\n\r\n"
    b"GET HTTP://127.0.0.1/e HTTP/1.1\r\nHost: x\r\n\r\n"
)
EXPECTED = [
    ("POST", "/v1/x", b"hello"),
    ("GET", "/health", b""),
    ("POST", "/c", b"abc"),
    ("GET", "/d", b""),
    ("GET", "/e", b""),
]


def test_pipelined_requests_are_the_same_wherever_the_bytes_are_cut() -> None:
    for at in range(len(PIPELINE)):
        assert requests([PIPELINE[:at], PIPELINE[at:]]) == EXPECTED
    assert requests([PIPELINE[at : at + 1] for at in range(len(PIPELINE))]) == EXPECTED


@given(st.binary(max_size=50), st.lists(st.integers(1, 20), max_size=20))
def test_a_body_is_never_taken_for_a_request(body: bytes, sizes: list[int]) -> None:
    raw = HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body + b"GET /next HTTP/1.1\r\nHost: x\r\n\r\n"
    pieces, at = [], 0
    for size in [*sizes, len(raw)]:
        pieces.append(raw[at : at + size])
        at += size
    assert requests(pieces) == [("POST", "/v1/x", body), ("GET", "/next", b"")]


def drain(box: Inbox) -> None:
    """Take requests until one is refused; more bytes arrive meanwhile."""
    for _ in range(100):
        request = box.next()
        assert request is None or request.path != "/v1/smuggled"
        if request is None:
            box.feed(SMUGGLED)


SMUGGLED = b"GET /v1/smuggled HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.mark.parametrize(
    "head",
    [
        HEAD + b"X-A: b\r\r\nContent-Length: 39\r\n\r\n",
        HEAD + b"X-A: b\rContent-Length: 39\r\n\r\n",
        HEAD + b"X-A: b\nContent-Length: 39\r\n\r\n",
        HEAD + b"\rContent-Length: 39\r\n\r\n",
        HEAD + b"Content-Length: 39\r\n\n",
        HEAD + b"Content-Length: 39\n\r\n",
        HEAD + b"Content-Length : 39\r\n\r\n",
        HEAD + b" Content-Length: 39\r\n\r\n",
        HEAD + b"Content-Length: 0\r\nContent-Length: 39\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\nContent-Length: 39\r\n\r\n",
        HEAD + b"Transfer-Encoding:\x0bchunked\r\n\r\n",
        HEAD + b"Transfer-Encoding: xchunked\r\n\r\n",
        HEAD + b"Host: y\r\nContent-Length: 39\r\n\r\n",
    ],
)
def test_a_head_with_a_doubt_about_the_body_is_refused_and_nothing_behind_it_run(head: bytes) -> None:
    for raw in (head + SMUGGLED, head[:-1], head):
        box = inbox()
        box.feed(raw)
        with pytest.raises(Refused) as refused:
            drain(box)
        assert refused.value.error.status in (400, 501)


@given(st.binary(max_size=120), st.lists(st.integers(1, 30), max_size=10))
def test_whatever_bytes_come_requests_or_one_refusal_come_out(noise: bytes, sizes: list[int]) -> None:
    for raw in (noise, HEAD + noise, HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + noise):
        pieces, at = [], 0
        for size in [*sizes, len(raw)]:
            pieces.append(raw[at : at + size])
            at += size
        with contextlib.suppress(Refused):
            requests(pieces)


def test_a_key_is_checked_before_the_body_is_read() -> None:
    def refuse(_: Request) -> None:
        raise missing_key()

    box = Inbox(LIMIT, refuse, -1)
    box.feed(HEAD + b"Content-Length: 900\r\n\r\n")
    with pytest.raises(Refused) as refused:
        box.next()
    assert (refused.value.error.status, refused.value.request.path) == (401, "/v1/x")


@pytest.mark.parametrize(("size", "is_refused"), [(LIMIT, False), (LIMIT + 1, True)])
@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_above_the_limit_is_refused_before_it_has_arrived(size: int, is_refused: bool, chunked: bool) -> None:
    box = inbox()
    length = b"Transfer-Encoding: chunked\r\n\r\n%x\r\n" % size if chunked else b"Content-Length: %d\r\n\r\n" % size
    box.feed(HEAD + length)
    if not is_refused:
        assert box.next() is None
        return
    with pytest.raises(Refused) as refused:
        box.next()
    assert refused.value.error.status == 413


def test_a_caller_that_waits_for_100_continue_is_told_to_go_on_once() -> None:
    box = inbox()
    box.feed(HEAD + b"Expect: 100-Continue\r\nContent-Length: 5\r\n\r\n")
    assert box.next() is None
    assert box.must_continue


@pytest.mark.parametrize(
    ("sent", "code"),
    [(b"", None), (b"GET ", "malformed_request"), (HEAD + b"Content-Length: 5\r\n\r\nhe", "caller_gone")],
)
def test_the_end_of_the_connection_refuses_what_was_begun(sent: bytes, code: str | None) -> None:
    box = inbox()
    box.feed(sent)
    assert box.next() is None
    refused = box.end()
    assert (refused.error.code if refused else None) == code


@pytest.mark.parametrize(
    ("head", "keep"),
    [
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", True),
        (b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Close\r\n\r\n", False),
        (b"GET / HTTP/1.0\r\n\r\n", False),
        (b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", False),
    ],
)
def test_a_connection_stays_open_unless_the_caller_says_otherwise(head: bytes, keep: bool) -> None:
    box = inbox()
    box.feed(head)
    assert box.next() is not None
    assert box.keep_alive is keep


def test_a_refusal_is_a_proxy_error_of_openais_shape() -> None:
    box = inbox()
    box.feed(b"nonsense\r\n\r\n")
    with pytest.raises(Refused) as refused:
        box.next()
    assert isinstance(refused.value.error, ProxyError)
    assert b'"malformed_request"' in refused.value.error.body()


@pytest.mark.parametrize("first", [b"", b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"])
def test_one_empty_line_before_a_request_is_passed_over_and_a_second_is_refused_wherever_the_bytes_are_cut(
    first: bytes,
) -> None:
    request = b"GET /c HTTP/1.1\r\nHost: x\r\n\r\n"
    for lines, runs in ((b"\r\n", True), (b"\r\n\r\n", False)):
        raw = first + lines + request
        for at in range(len(raw)):
            box, paths = inbox(), []
            for piece in (raw[:at], raw[at:]):
                with contextlib.suppress(Refused):
                    paths += [path for _, path, _ in requests([piece], box)]
            assert ("/c" in paths) is runs, (lines, at)
