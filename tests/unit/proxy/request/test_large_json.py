"""Large JSON bodies: the model is where the exact parser has it, at a cost that does not depend on what they hold."""

from __future__ import annotations

import json
import sys
import tracemalloc

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from proxy.errors import ProxyError
from proxy.request import large_json
from proxy.request import model as exact


@pytest.fixture(autouse=True)
def small_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows of a few bytes, so that small documents have many borders."""
    monkeypatch.setattr(large_json, "_WINDOW", 7)


NAMES = st.sampled_from(["model", "Model", "x", 'a"b', "\\", "é", "mo\\"])
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | NAMES | st.text('[]{}",:\\é\n', max_size=6)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3), max_leaves=10
)


def both(body: bytes) -> tuple[object, object]:
    """What the exact parser and the scanner find; None where the body is refused."""
    try:
        exactly: list[tuple[int, int, str]] | None = exact._in_small(body)
    except (ValueError, StopIteration, IndexError):
        exactly = None
    try:
        scanned: list[tuple[int, int, str]] | None = list(large_json.models(body))
    except (ValueError, IndexError):
        scanned = None
    return _comparable(exactly), _comparable(scanned)


def _comparable(spans: list[tuple[int, int, str]] | None) -> object:
    """At most two, for more are not looked for; where a value ends that is no name is of no use."""
    return None if spans is None else [(start, name and end, name) for start, end, name in spans[:2]]


@given(st.dictionaries(NAMES, VALUES, max_size=5), st.booleans(), st.sampled_from([None, 1]))
@example({"x": 0, "model": None}, False, None)
@settings(max_examples=400)
def test_the_model_is_where_the_exact_parser_has_it(document: object, ascii_only: bool, indent: int | None) -> None:
    exactly, scanned = both(json.dumps(document, ensure_ascii=ascii_only, indent=indent).encode())
    assert exactly is not None
    assert scanned == exactly


@given(st.dictionaries(NAMES, VALUES, max_size=4), st.integers(0, 200), st.sampled_from([*b'[]{},:"\\x \x00\xff']))
@settings(max_examples=400)
def test_a_damaged_document_never_has_a_model_elsewhere(document: object, at: int, byte: int) -> None:
    body = bytearray(json.dumps(document).encode())
    body[at % len(body)] = byte
    exactly, scanned = both(bytes(body))
    if exactly is not None:
        assert scanned == exactly


@pytest.mark.parametrize("blanks", [0, 1, 999, 1000, 1001, 5000])
@pytest.mark.parametrize("more", ["", ',"model":"b"'])
def test_a_name_far_from_its_colon_counts_or_is_refused(
    blanks: int, more: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    body = f'{{"x":["model"{" " * blanks}],"model"{" " * blanks}:"a"{more}}}'.encode()
    exactly, scanned = both(body)
    assert scanned == (None if blanks > 1000 else exactly)


@pytest.mark.parametrize("name", ["Model", "MODEL", "m\\u004fdel", "\\u004Dodel"])
def test_a_name_in_capitals_is_no_model_but_a_second_one(name: str) -> None:
    for text, models in ((f'{{"{name}":"a"}}', [""]), (f'{{"{name}":"a","model":"b"}}', ["", "b"])):
        exactly, scanned = both(text.encode())
        assert scanned == exactly
        assert [model for _, _, model in large_json.models(text.encode())] == models


@given(st.binary(max_size=40))
@example(b'{"a":[')
@example(b'{"a":"\\')
@example(b'{"model":"x"}}')
def test_whatever_bytes_come_nothing_else_is_raised(body: bytes) -> None:
    both(body)


@pytest.mark.parametrize(
    "text",
    [
        "{",
        '{"model":"a"',
        '{"a" 1}',
        '{"a":1,}',
        '{"a":1 "b":2}',
        '{"a":1}x',
        '{"a',
        "{1:2}",
        '{"a":[}',
        '{"a":[1}}',
        '{"a":[[]}',
        '{"a":]}',
        '{"a":"b}',
        '{"a":"\xff"}',
        "[" * 3000,
    ],
)
def test_what_is_not_json_at_its_top_level_or_does_not_end_is_refused(text: str) -> None:
    with pytest.raises((ValueError, IndexError)):
        list(large_json.models(text.encode("latin-1")))


@pytest.mark.parametrize(
    "filler",
    [
        b"[],",
        b"[[{}]],",
        b'"a",',
        b'{"a":"b\\"c"},',
        b"0.125,",
        b"[" * 300 + b"]" * 300 + b",",
        b'"' + b"x" * 5000 + b'",',
    ],
)
def test_the_memory_does_not_grow_with_the_body(filler: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    body = b'{"a":[' + filler * (4_000_000 // len(filler)) + b'1],"model":"m"}'
    tracemalloc.start()
    try:
        ((start, end, name),) = large_json.models(body)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (body[start:end], name) == (b'"m"', "m")
    assert peak < 2_000_000


NESTED = b'[{"a":' * 400 + b"1" + b"}]" * 400


@pytest.mark.parametrize(
    ("start", "filler"),
    [
        (b'{"a":[', b"[],"),
        (b'{"a":[', NESTED + b","),
        (b"{", b'"a":[],'),
        (b"{", b'"a":[1],'),
        (b"{", b'"a":{"b":[{}]},'),
        (b"{", b'"a":1.5,'),
        (b"{", b'"\\n":1,'),
        (b"{", b'"a":"\\n",'),
        (b"{", b'"models":"model",'),
        (b'{"a":[', b'"\\"[{",'),
        (b'{"a":"', b"\\\\"),
        (b'{"a":', b" "),
        (b'{"a":', b"1"),
    ],
    ids=lambda text: text[:16].decode(),
)
def test_the_steps_grow_with_the_windows_and_not_with_what_they_hold(
    start: bytes, filler: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    body = start + filler * (1_000_000 // len(filler))
    steps = calls_of(lambda: _ignored(body))
    assert steps <= 60 * (len(body) // large_json._WINDOW + 2)


def _ignored(body: bytes) -> None:
    """What it comes to is the matter of other tests."""
    with pytest.raises((ValueError, IndexError)):  # nothing is closed
        list(large_json.models(body))


def calls_of(function: object) -> int:
    """How many functions, of Python and of C, are called meanwhile."""
    calls = [0]

    def count(_frame: object, event: str, _argument: object) -> None:
        calls[0] += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        function()  # type: ignore[operator]
    finally:
        sys.setprofile(None)
    return calls[0]


def test_a_name_that_no_model_has_is_refused_by_its_length(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    short, long = b'{"model":"' + b"m" * 4000 + b'"}', b'{"model":"' + b"m" * 5000 + b'"}'
    assert next(iter(large_json.models(short)))[2] == "m" * 4000
    with pytest.raises(ProxyError) as refused:
        list(large_json.models(long))
    assert (refused.value.status, refused.value.code) == (400, "invalid_model")


@pytest.mark.parametrize("size", [0, 300_000])
def test_a_byte_order_mark_before_the_document_is_passed_over(size: int) -> None:
    body = b'\xef\xbb\xbf{"x":"' + b"y" * size + b'","model":"m"}'
    named = exact.find_model("application/json", body)
    assert named is not None
    assert b"".join(named.body("n")) == body.replace(b'"m"', b'"n"')
