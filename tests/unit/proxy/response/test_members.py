"""Members of JSON objects read from bytes as they arrive: those that json.loads would read, however they are cut."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.response.members import MAX_VALUE, MemberScanner, is_truthy, value_of

WANTED = frozenset({(b"type",), (b"error",), (b"usage",), (b"response", b"usage")})
NAMES = st.sampled_from(["type", "error", "usage", "response", "x", 'a"b', "\\", "é"])
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8) | NAMES
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4), max_leaves=12
)
DOCUMENTS = st.dictionaries(NAMES, VALUES, max_size=6)
SIZES = st.lists(st.integers(1, 9), max_size=40)


def scan(text: bytes, sizes: list[int]) -> MemberScanner:
    scanner, at = MemberScanner(WANTED), 0
    for size in [*sizes, len(text)]:
        scanner.feed(text[at : at + size])
        at += size
    return scanner


@given(DOCUMENTS, st.booleans(), st.sampled_from([None, 1]), SIZES)
@settings(max_examples=500)
def test_the_members_are_those_of_the_document(
    document: dict[str, object], ascii_only: bool, indent: int | None, sizes: list[int]
) -> None:
    scanner = scan(json.dumps(document, ensure_ascii=ascii_only, indent=indent).encode(), sizes)
    assert scanner.is_complete
    expected: dict[tuple[bytes, ...], object] = {
        (name.encode(),): document[name] for name in ("type", "error", "usage") if name in document
    }
    response = document.get("response")
    if isinstance(response, dict) and "usage" in response:
        expected[b"response", b"usage"] = response["usage"]
    assert {path: value_of(raw) for path, raw in scanner.values.items()} == expected
    assert {path: is_truthy(raw) for path, raw in scanner.values.items()} == {
        path: bool(value) for path, value in expected.items()
    }


@given(st.binary(max_size=60), SIZES)
@settings(max_examples=300)
def test_whatever_bytes_come_nothing_is_raised(noise: bytes, sizes: list[int]) -> None:
    scan(noise, sizes)
    scan(b'{"usage": ' + noise, sizes)


@pytest.mark.parametrize(("size", "is_read"), [(MAX_VALUE - 2, True), (MAX_VALUE - 1, False)])
def test_a_value_that_is_too_long_is_only_there(size: int, is_read: bool) -> None:
    raw = scan(b'{"error": "' + b"x" * size + b'", "type": "t"}', [5, 5000]).values
    assert (value_of(raw[b"error",]) is not None) is is_read
    assert is_truthy(raw[b"error",])
    assert value_of(raw[b"type",]) == "t"
