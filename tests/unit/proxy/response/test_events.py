"""Event streams by the rules of the WHATWG: the same events however the bytes are cut, and only whole ones go on."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.response.events import MAX_HELD, Event, EventParser


def parse(pieces: Iterable[bytes]) -> tuple[list[tuple[str, bytes]], list[bytes], bytes]:
    """(name and first bytes of each event, what was handed on, what was left at the end)."""
    events: list[Event] = []
    parser = EventParser(events.append, lambda _: True)
    handed_on = [parser.feed(piece) for piece in pieces]
    rest = parser.finish()
    return [(event.name, event.start) for event in events], handed_on, rest


def cut(raw: bytes, sizes: Iterable[int]) -> list[bytes]:
    pieces, at = [], 0
    for size in sizes:
        pieces.append(raw[at : at + size])
        at += size
    return [*pieces, raw[at:]]


def reference(raw: bytes) -> list[tuple[str, bytes]]:
    """The events of a whole stream, straight from the specification's text (section 9.2.6)."""
    text = raw.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    events: list[tuple[str, bytes]] = []
    name, data = b"", list[bytes]()
    for line in text.split(b"\n")[:-1]:
        if not line:
            if data:
                events.append((name.decode("utf-8", "replace"), b"\n".join(data)[:16]))
            name, data = b"", []
            continue
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"data":
            data.append(value)
        elif field == b"event":
            name = value
    return events


EXAMPLES = [
    b"data: a\n\ndata: b\n\n",
    b"data: a\r\n\r\ndata: b\r\n\r\n",
    b"data: a\r\rdata: b\r\r",
    b"\xef\xbb\xbfdata: a\n\n",
    b": comment\n\nevent: x\ndata\ndata:\ndata:  two\nid: 3\nretry: 5\n\n",
    b"data: a\n: between\ndata: b\r\n\n",
    b"event: only\n\ndata: x\n\n",
    b"datax: no\ndat: no\nevent\ndata: yes\n\n",
    b"\n\r\n\r\n\ndata: x\n\n",
]


@pytest.mark.parametrize("raw", EXAMPLES)
def test_the_events_are_those_of_the_specification_wherever_the_stream_is_cut(raw: bytes) -> None:
    expected = reference(raw)
    for at in range(len(raw) + 1):
        events, handed_on, rest = parse([raw[:at], raw[at:]])
        assert events == expected
        assert b"".join(handed_on) + rest == raw
    assert parse(raw[index : index + 1] for index in range(len(raw)))[0] == expected


NOISE = st.binary(max_size=12).map(lambda noise: noise.replace(b"\r", b"").replace(b"\n", b""))
KNOWN = [b"data: x", b"data", b"event: y", b": c", b"", b"", b"id: 1", b"data:{}", b"\xef\xbb\xbfdata: z"]
LINES = st.lists(st.tuples(st.sampled_from(KNOWN) | NOISE, st.sampled_from([b"\n", b"\r\n", b"\r"])), max_size=14)
STREAMS = LINES.map(lambda lines: b"".join(line + end for line, end in lines) + b"\n\n")
SIZES = st.lists(st.integers(0, 9), max_size=30)


@given(STREAMS, SIZES)
@settings(max_examples=500)
def test_any_stream_cut_anywhere_has_the_events_of_the_specification(raw: bytes, sizes: list[int]) -> None:
    events, handed_on, rest = parse(cut(raw, sizes))
    assert events == reference(raw)
    assert b"".join(handed_on) + rest == raw


@given(STREAMS, SIZES)
@settings(max_examples=500)
def test_an_error_event_may_follow_whatever_was_handed_on(raw: bytes, sizes: list[int]) -> None:
    parser = EventParser(lambda _: None, lambda _: True)
    out = b""
    for piece in cut(raw, sizes):
        out += parser.feed(piece)
        assert parser.is_between_events
        after = out + (b"\n" if parser.ends_in_cr else b"") + b"data: error\n\n"
        assert reference(after) == [*reference(out + b"\n"), ("", b"error")]


def test_a_comment_alone_passes_at_once_and_an_unfinished_event_does_not() -> None:
    parser = EventParser(lambda _: None, lambda _: False)
    assert parser.feed(b": ping\n") == b": ping\n"
    assert parser.feed(b"data: x\n") == b""
    assert parser.feed(b"\n") == b"data: x\n\n"


@pytest.mark.parametrize(("size", "is_held"), [(MAX_HELD - 6, True), (MAX_HELD - 5, False)])
def test_at_most_a_bounded_part_of_an_event_is_held_back(size: int, is_held: bool) -> None:
    parser = EventParser(lambda _: None, lambda _: False)
    assert (parser.feed(b"data: " + b"x" * size) == b"") is is_held
    assert parser.is_between_events is is_held
    assert parser.feed(b"\n\n").endswith(b"\n\n")
    assert parser.is_between_events
