"""How long a body is: read as the sender meant it, or refused."""

from __future__ import annotations

import http.client
import io

import pytest

from proxy.doors.incoming import MAX_LINE, MAX_TRAILERS, read_body
from proxy.errors import ProxyError

LIMIT = 1000
FORM = b"content-type: multipart/form-data; boundary=b\r\n"
CHUNKED = b"transfer-encoding: chunked\r\n"


def read(head: bytes, body: bytes) -> tuple[bytes, bytes]:
    """(body, what is left for the next request)."""
    reader = io.BytesIO(body)
    return read_body(reader, http.client.parse_headers(io.BytesIO(head + b"\r\n")), LIMIT), reader.read()


@pytest.mark.parametrize(
    ("head", "body", "read_as"),
    [
        (b"", b"NEXT", b""),
        (b"content-length: 0\r\n", b"NEXT", b""),
        (b"content-length: 5 \r\n", b"helloNEXT", b"hello"),
        (FORM + b"content-length: 5\r\n", b"helloNEXT", b"hello"),
        (CHUNKED, b"0\r\n\r\nNEXT", b""),
        (CHUNKED, b"5\r\nhello\r\n0\r\n\r\nNEXT", b"hello"),
        (CHUNKED, b"0A;name=x \r\nhellohello\r\n000\r\nETag: x\r\n\r\nNEXT", b"hellohello"),
        (b"Transfer-Encoding: Chunked \r\n", b"1 \r\nx\r\n1\nY\n0\n\nNEXT", b"xY"),
    ],
)
def test_a_body_ends_where_the_sender_ended_it(head: bytes, body: bytes, read_as: bytes) -> None:
    assert read(head, body) == (read_as, b"NEXT")


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"transfer-encoding: gzip, chunked\r\n", 501),
        (b"transfer-encoding: identity\r\n", 501),
        (b"transfer-encoding: chunked, chunked\r\n", 501),
        (b"transfer-encoding: x\x0bchunked\r\n", 501),
        (CHUNKED * 2, 400),
        (CHUNKED + b"content-length: 5\r\n", 400),
        (b"content-length: 5\r\ncontent-length: 6\r\n", 400),
        (b"content-length: 5\r\ncontent-length: 5\r\n", 400),
        (b"content-length: 5, 5\r\n", 400),
        (b"content-length: -1\r\n", 400),
        (b"content-length: +5\r\n", 400),
        (b"content-length: 1_0\r\n", 400),
        (b"content-length: \xb2\r\n", 400),
        (b"content-length:\r\n", 400),
        (b"content-length: " + b"9" * 5000 + b"\r\n", 400),
        (b"content-length: 1001\r\n", 413),
        (b"content-length : 5\r\n", 400),
        (b"no colon\r\ncontent-length: 5\r\n", 400),
        (FORM + b"no colon\r\ncontent-length: 5\r\n", 400),
        (b": no name\r\ncontent-length: 5\r\n", 400),
        (b"x: y\r\nFrom me\r\ncontent-length: 5\r\n", 400),
        (b" folded: x\r\ncontent-length: 5\r\n", 400),
    ],
)
def test_an_unclear_length_is_refused_and_nothing_read(head: bytes, status: int) -> None:
    reader = io.BytesIO(b"hello")
    with pytest.raises(ProxyError) as refused:
        read_body(reader, http.client.parse_headers(io.BytesIO(head + b"\r\n")), LIMIT)
    assert (refused.value.status, reader.tell()) == (status, 0)


@pytest.mark.parametrize(
    "body",
    [
        b"-5\r\nhello\r\n",
        b"+5\r\nhello\r\n0\r\n\r\n",
        b"0x5\r\nhello\r\n0\r\n\r\n",
        b"1_0\r\nhello\r\n0\r\n\r\n",
        b"\r\n",
        b"zz\r\n",
        b"f" * 16 + b"\r\n",
        b"5;" + b"x" * MAX_LINE + b"\r\nhello\r\n0\r\n\r\n",
        b"4\r\nhello\r\n0\r\n\r\n",
        b"0\r\n" + b"a: b\r\n" * MAX_TRAILERS + b"\r\n",
    ],
)
def test_a_malformed_chunk_is_a_400(body: bytes) -> None:
    with pytest.raises(ProxyError) as refused:
        read(CHUNKED, body)
    assert (refused.value.status, refused.value.code) == (400, "invalid_body")


@pytest.mark.parametrize("body", [b"3e9\r\n", b"3e8\r\n" + b"x" * 1000 + b"\r\n1\r\n"])
def test_chunks_above_the_limit_are_a_413(body: bytes) -> None:
    with pytest.raises(ProxyError) as refused:
        read(CHUNKED, body)
    assert refused.value.status == 413


@pytest.mark.parametrize(
    ("head", "body"),
    [
        (b"content-length: 100\r\n", b"hello"),
        (CHUNKED, b""),
        (CHUNKED, b"5"),
        (CHUNKED, b"64\r\nhello"),
        (CHUNKED, b"5\r\nhello"),
        (CHUNKED, b"5\r\nhello\r\n"),
        (CHUNKED, b"5\r\nhello\r\n0\r\n"),
        (CHUNKED, b"5\r\nhello\r\n0\r\nx: y\r\n"),
    ],
)
def test_half_a_body_is_never_taken_for_a_whole_one(head: bytes, body: bytes) -> None:
    with pytest.raises(ProxyError) as refused:
        read(head, body)
    assert (refused.value.status, refused.value.code) == (400, "caller_gone")


def test_a_connection_that_breaks_in_mid_body_is_the_callers_end() -> None:
    class Broken(io.BytesIO):
        def read(self, _: int | None = -1, /) -> bytes:
            raise ConnectionResetError

    with pytest.raises(ProxyError) as refused:
        read_body(Broken(), http.client.parse_headers(io.BytesIO(b"content-length: 5\r\n\r\n")), LIMIT)
    assert refused.value.code == "caller_gone"
