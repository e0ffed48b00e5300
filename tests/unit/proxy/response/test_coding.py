"""Encoded content is decoded however it arrives, in little memory."""

from __future__ import annotations

import gzip
import random
import tracemalloc
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.response.coding import CodingError, Decoder

HEX = random.Random(11).randbytes(2_000_000).hex().encode()


def decoded(coding: str, pieces: list[bytes]) -> bytes:
    decoder = Decoder(coding)
    return b"".join([piece for part in pieces for piece in decoder.feed(part)] + list(decoder.finish()))


def raw(data: bytes) -> bytes:
    compressor = zlib.compressobj(wbits=-15)
    return compressor.compress(data) + compressor.flush()


@given(
    st.sampled_from(["gzip", "x-gzip", "deflate"]),
    st.lists(st.binary(min_size=1, max_size=300), min_size=1, max_size=3),
    st.sampled_from([b"", b"\0", b"\0" * 600, b"\x1f", b"\x1fx"]),
    st.lists(st.integers(1, 50), max_size=30),
)
def test_content_is_the_same_wherever_it_is_cut(
    coding: str, members: list[bytes], padding: bytes, sizes: list[int]
) -> None:
    members = members[:1] if coding == "deflate" else members
    encode = zlib.compress if coding == "deflate" else gzip.compress
    content, at, pieces = b"".join(map(encode, members)) + padding, 0, []
    for size in [*sizes, len(content)]:
        pieces.append(content[at : at + size])
        at += size
    assert decoded(coding, pieces) == b"".join(members)
    whole = len(content) - len(padding)
    with pytest.raises(CodingError):
        decoded(coding, [content[: whole - 1]])


@pytest.mark.parametrize(("coding", "encode"), [("gzip", gzip.compress), ("deflate", zlib.compress), ("deflate", raw)])
def test_content_that_shrinks_little_is_decoded_without_copies_of_its_rest(coding: str, encode: object) -> None:
    content = encode(HEX)  # type: ignore[operator]
    decoder, size = Decoder(coding), 0
    tracemalloc.start()
    try:
        for piece in decoder.feed(content):
            size += len(piece)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert list(decoder.finish()) == []
    assert size == len(HEX)
    assert peak < len(content) / 2
