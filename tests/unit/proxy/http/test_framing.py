"""How long a body is: read as the sender meant it, or refused."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.http.framing import (
    CHUNKED,
    MAX_SIZE_LINE,
    MAX_TRAILERS,
    UNTIL_CLOSE,
    ChunkDecoder,
    request_length,
    response_length,
)
from proxy.http.head import HeadError, RequestHead, ResponseHead


def request(*fields: tuple[str, str], minor: int = 1) -> RequestHead:
    return RequestHead("POST", "/", minor, list(fields))


@pytest.mark.parametrize(
    ("fields", "length"),
    [
        ([], 0),
        ([("content-length", "0")], 0),
        ([("content-length", "0005")], 5),
        ([("transfer-encoding", "Chunked")], CHUNKED),
    ],
)
def test_a_request_states_its_length_once(fields: list[tuple[str, str]], length: int) -> None:
    assert request_length(request(*fields)) == length


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ([("transfer-encoding", "gzip, chunked")], 501),
        ([("transfer-encoding", "identity")], 501),
        ([("transfer-encoding", "chunked, chunked")], 501),
        ([("transfer-encoding", "x\x0bchunked")], 501),
        ([("transfer-encoding", "chunked")] * 2, 400),
        ([("transfer-encoding", "chunked"), ("content-length", "5")], 400),
        ([("content-length", "5"), ("content-length", "6")], 400),
        ([("content-length", "5"), ("content-length", "5")], 400),
        ([("content-length", "5, 5")], 400),
        ([("content-length", "-1")], 400),
        ([("content-length", "+5")], 400),
        ([("content-length", "1_0")], 400),
        ([("content-length", "\xb2")], 400),
        ([("content-length", "")], 400),
        ([("content-length", "9" * 5000)], 400),
    ],
)
def test_a_request_of_unclear_length_is_refused(fields: list[tuple[str, str]], status: int) -> None:
    with pytest.raises(HeadError) as refused:
        request_length(request(*fields))
    assert (refused.value.status, refused.value.code) == (status, "invalid_header")


def test_http_1_0_has_no_chunks() -> None:
    with pytest.raises(HeadError):
        request_length(request(("transfer-encoding", "chunked"), minor=0))


@pytest.mark.parametrize(
    ("method", "status", "fields", "length"),
    [
        ("GET", 200, [], UNTIL_CLOSE),
        ("HEAD", 200, [("content-length", "5")], 0),
        ("GET", 204, [("transfer-encoding", "chunked")], 0),
        ("GET", 304, [("content-length", "5")], 0),
        ("GET", 200, [("content-length", "5"), ("content-length", "5")], 5),
        ("GET", 200, [("content-length", "5, 5")], 5),
        ("GET", 200, [("content-length", "60"), ("transfer-encoding", "chunked")], CHUNKED),
    ],
)
def test_a_responses_length_is_found_by_the_rules(
    method: str, status: int, fields: list[tuple[str, str]], length: int
) -> None:
    assert response_length(ResponseHead(status, 1, fields), method) == length


@pytest.mark.parametrize(
    "fields",
    [
        [("content-length", "5"), ("content-length", "6")],
        [("content-length", "x")],
        [("transfer-encoding", "gzip, chunked")],
        [("transfer-encoding", "chunked")] * 2,
    ],
)
def test_a_response_of_unclear_length_is_malformed(fields: list[tuple[str, str]]) -> None:
    with pytest.raises(HeadError):
        response_length(ResponseHead(200, 1, fields), "GET")


def decode(raw: bytes, sizes: list[int], *, lenient: bool = False) -> tuple[bytes, bytes, bool]:
    """(body, what follows it, whether it has ended) of bytes that arrive in pieces of these sizes."""
    decoder, body, at = ChunkDecoder(lenient=lenient), b"", 0
    for size in [*sizes, len(raw)]:
        piece, at = raw[at : at + size], at + size
        pieces, end = decoder.feed(piece)
        body += b"".join(pieces)
        if decoder.done:
            return body, piece[end:] + raw[at:], True
    return body, b"", decoder.done


@pytest.mark.parametrize(
    ("raw", "body"),
    [
        (b"0\r\n\r\n", b""),
        (b"5\r\nhello\r\n0\r\n\r\n", b"hello"),
        (b"0A;name=x \r\nhellohello\r\n000\r\nETag: x\r\n\r\n", b"hellohello"),
        (b"1 \r\nx\r\n1\r\nY\r\n0\r\n\r\n", b"xY"),
    ],
)
def test_a_chunked_body_ends_where_the_sender_ended_it_however_it_arrives(raw: bytes, body: bytes) -> None:
    for size in range(1, len(raw) + 5):
        assert decode(raw + b"NEXT", [size] * len(raw)) == (body, b"NEXT", True)


@given(st.lists(st.binary(min_size=1, max_size=40), max_size=6), st.lists(st.integers(1, 9), max_size=60))
@settings(max_examples=200)
def test_any_chunks_cut_anywhere_are_the_same_body(chunks: list[bytes], sizes: list[int]) -> None:
    raw = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n"
    assert decode(raw + b"NEXT", sizes) == (b"".join(chunks), b"NEXT", True)
    assert decode(raw[:-1], sizes)[2] is False


@pytest.mark.parametrize(
    "raw",
    [
        b"-5\r\nhello\r\n",
        b"+5\r\nhello\r\n0\r\n\r\n",
        b"0x5\r\nhello\r\n0\r\n\r\n",
        b"1_0\r\nhello\r\n0\r\n\r\n",
        b"\r\n",
        b"zz\r\n",
        b"f" * 16 + b"\r\n",
        b"5;" + b"x" * MAX_SIZE_LINE + b"\r\nhello\r\n0\r\n\r\n",
        b"5;" + b"x" * MAX_SIZE_LINE,
        b"4\r\nhello\r\n0\r\n\r\n",
        b"1\r\nY\n0\r\n\r\n",
        b"1\nY\r\n0\r\n\r\n",
        b"5\r\r\nhello\r\n0\r\n\r\n",
        b"0\r\nno trailer\r\n\r\n",
        b"0\r\na: b\rc\r\n\r\n",
        b"0\r\n" + b"a: b\r\n" * (MAX_TRAILERS + 1) + b"\r\n",
    ],
)
def test_a_malformed_chunk_of_a_request_is_refused(raw: bytes) -> None:
    with pytest.raises(HeadError) as refused:
        decode(raw, [])
    assert (refused.value.status, refused.value.code) == (400, "invalid_body")


def test_an_upstreams_lines_may_end_in_a_bare_lf() -> None:
    assert decode(b"1\nx\n0\n\nNEXT", [], lenient=True) == (b"x", b"NEXT", True)


@given(st.binary(max_size=60), st.lists(st.integers(1, 9), max_size=20))
@settings(max_examples=300)
def test_whatever_comes_a_body_or_a_head_error_comes_out(noise: bytes, sizes: list[int]) -> None:
    with contextlib.suppress(HeadError):
        decode(noise, sizes)
