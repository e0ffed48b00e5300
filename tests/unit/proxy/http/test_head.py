"""Heads by the grammar of RFC 9112: what h11 takes is read as h11 reads it, and nothing else is guessed."""

from __future__ import annotations

import contextlib

import h11
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.http.head import (
    MAX_FIELDS,
    HeadError,
    connection_options,
    end_of_request_head,
    end_of_response_head,
    parse_request,
    parse_response,
)

GET = b"GET /v1/models HTTP/1.1\r\nHost: localhost\r\n"


def test_a_head_is_taken_apart_and_no_byte_is_lost() -> None:
    head = parse_request(b"POST /a?b=c HTTP/1.1\r\nHost: x\r\nX-Odd:\t a \xe9 b \t\r\nX-Odd: 2\r\n\r\n")
    assert (head.method, head.target, head.minor) == ("POST", "/a?b=c", 1)
    assert head.fields == [("host", "x"), ("x-odd", "a \xe9 b"), ("x-odd", "2")]


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"GET /\r\n\r\n", 505),
        (b"GET / HTTP/2.0\r\nHost: x\r\n\r\n", 505),
        (b"GET / HTTP/x\r\nHost: x\r\n\r\n", 400),
        (b"GET  / HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"GET / HTTP/1.1 \r\nHost: x\r\n\r\n", 400),
        (b"GET /\xc3\xa9 HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"G\x00T / HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n", 400),
        (GET + b"X-A : b\r\n\r\n", 400),
        (GET + b" folded: b\r\n\r\n", 400),
        (GET + b"X-A: b\r\n folded\r\n\r\n", 400),
        (GET + b"no colon\r\n\r\n", 400),
        (GET + b": no name\r\n\r\n", 400),
        (GET + b"X\xe9: b\r\n\r\n", 400),
        (GET + b"X-A: b\x00\r\n\r\n", 400),
        (GET + b"X-A: b\x7f\r\n\r\n", 400),
        (GET + b"X-A: b\rc\r\n\r\n", 400),
        (GET + b"X-A: b\r\r\n\r\n", 400),
        (GET + b"X-A: b\r\n" * (MAX_FIELDS + 1) + b"\r\n", 431),
    ],
)
def test_a_head_that_is_none_is_refused_and_its_text_not_repeated(head: bytes, status: int) -> None:
    with pytest.raises(HeadError) as refused:
        parse_request(head)
    assert refused.value.status == status
    assert "nonsense" not in refused.value.message


@pytest.mark.parametrize("end", [b"\n", b"\r\n\n", b"\n\r\n", b"\r\r\n", b"\n\n", b"\r\r", b"\r \r\n"])
def test_a_head_that_ends_oddly_is_refused_as_soon_as_that_is_clear(end: bytes) -> None:
    with pytest.raises(HeadError):
        end_of_request_head(GET[:-2] + end + b"X: y\r\n\r\n")


def test_a_head_that_is_on_its_way_is_waited_for_byte_by_byte() -> None:
    whole = GET + b"X: y\r\n\r\n"
    for size in range(len(whole)):
        assert end_of_request_head(whole[:size]) == -1
    assert end_of_request_head(whole + b"BODY") == len(whole)


TOKEN = st.text("abcXYZ019!#$%&'*+.^_`|~-", min_size=1, max_size=8)
VALUE = st.text(st.characters(min_codepoint=0x20, max_codepoint=0xFF, exclude_characters="\x7f"), max_size=12)


@given(TOKEN, st.lists(st.tuples(TOKEN, VALUE), max_size=6))
@settings(max_examples=300)
def test_what_h11_takes_is_read_as_h11_reads_it(method: str, fields: list[tuple[str, str]]) -> None:
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields if name.lower() not in ("host", "content-length"))
    raw = f"{method} /x HTTP/1.1\r\nHost: h\r\n{lines}\r\n".encode("latin-1")
    connection = h11.Connection(h11.SERVER)
    connection.receive_data(raw)
    try:
        event = connection.next_event()
    except h11.RemoteProtocolError:
        return  # h11 knows more of some headers' values
    assert isinstance(event, h11.Request)
    head = parse_request(raw)
    assert head.fields == [(name.decode(), value.decode("latin-1")) for name, value in event.headers]


@given(st.binary(max_size=80))
@settings(max_examples=500)
def test_whatever_bytes_come_either_a_head_is_read_or_a_head_error_raised(noise: bytes) -> None:
    for raw in (noise, GET + noise + b"\r\n\r\n", b"GET " + noise + b" HTTP/1.1\r\nHost: x\r\n\r\n"):
        with contextlib.suppress(HeadError):
            end = end_of_request_head(raw)
            if end >= 0:
                parse_request(raw[:end])


@given(st.binary(max_size=80))
@settings(max_examples=500)
def test_whatever_an_upstream_sends_either_a_head_is_read_or_a_head_error_raised(noise: bytes) -> None:
    for raw in (noise, b"HTTP/1.1 200 OK\r\n" + noise + b"\r\n\r\n", b"HTTP/1.1 " + noise + b"\r\n\r\n"):
        try:
            end = end_of_response_head(raw)
            if end >= 0:
                parse_response(raw[:end])
        except HeadError:
            continue


@pytest.mark.parametrize(
    ("raw", "fields"),
    [
        (b"HTTP/1.1 200 OK\r\nA: b\r\n\r\n", [("a", "b")]),
        (b"HTTP/1.1 200\nA : b\n\n", [("a", "b")]),
        (b"HTTP/1.0 200 \r\nA: b\r\n\tc\r\n d\r\nE:\r\n\r\n", [("a", "b\tc d"), ("e", "")]),
        (b"HTTP/1.1 200 OK\r\n\r\n", []),
    ],
)
def test_a_response_may_deviate_where_one_reading_is_possible(raw: bytes, fields: list[tuple[str, str]]) -> None:
    assert end_of_response_head(raw + b"x") == len(raw)
    head = parse_response(raw)
    assert (head.status, head.fields) == (200, fields)


def test_connection_names_options_and_headers_in_any_case() -> None:
    fields = [("connection", "X-Hop, keep-alive"), ("x", "y"), ("connection", "close ,,")]
    assert connection_options(fields) == {"x-hop", "keep-alive", "close"}
