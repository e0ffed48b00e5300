"""Which event ends a stream, and where tokens are counted: by each event's own members, never by its text."""

from __future__ import annotations

import json

import pytest

from proxy.response.families import CHAT, RESPONSES, Family, family_of
from proxy.response.watcher import EventsWatcher, watcher_for


def watch(path: str, raw: bytes, size: int) -> EventsWatcher:
    watcher = watcher_for("Text/Event-Stream; charset=utf-8", family_of(path), is_judged=True)
    assert isinstance(watcher, EventsWatcher)
    for at in range(0, len(raw), size):
        watcher.feed(raw[at : at + size])
    watcher.finish()
    return watcher


def sse(*documents: object) -> bytes:
    return b"".join(b"data: " + json.dumps(document).encode() + b"\n\n" for document in documents)


TEXT = 'say "error", data: [DONE], "type":"response.completed"'
DELTA = {"choices": [{"delta": {"content": TEXT}}], "usage": None}
TOOL = {"choices": [{"delta": {"tool_calls": [{"function": {"name": "error", "arguments": '{"error": 1}'}}]}}]}
NESTED = {"metadata": {"error": "error", "type": "response.completed"}, "error": None, "x": [{"error": {"a": 1}}]}
LONG_TEXT = "x" * 40_000
USAGE = {"input_tokens": 1, "output_tokens": 2}
LONG = {"type": "response.completed", "response": {"instructions": LONG_TEXT, "usage": USAGE}}
CHAT_PATHS = ["/chat/completions", "/chat/completions/", "/openai/deployments/d/chat/completions", "/completions"]
CHAT_ENDS = [
    b"data: [DONE]\n\n",
    b"data:[DONE]\r\r",
    b"data: [DONE]",
    b'data: {"error": {"message": "x"}}\n\n',
    b'data: {"err\\u006fr": {"a": 1}}\n\n',
    b"event: error\ndata: {}\n\n",
]


@pytest.mark.parametrize("size", [1, 7, 100_000])
@pytest.mark.parametrize("path", CHAT_PATHS)
def test_only_an_event_of_its_own_ends_a_chat_stream(path: str, size: int) -> None:
    body = sse(DELTA, TOOL, NESTED)
    assert watch(path, body, size).is_cut()
    for end in CHAT_ENDS:
        assert not watch(path, body + end, size).is_cut(), end


@pytest.mark.parametrize("size", [1, 13, 1000, 100_000])
@pytest.mark.parametrize("path", ["/responses", "/responses/", "/responses/resp_1", "/openai/v1/responses"])
def test_a_response_ends_with_its_closing_event_however_long_it_is(path: str, size: int) -> None:
    created = {"type": "response.created", "response": {"error": None}}
    assert watch(path, sse(DELTA, TOOL, NESTED, created), size).is_cut()
    whole = watch(path, sse(DELTA, LONG), size)
    assert (whole.is_cut(), whole.tokens) == (False, (1, 2))
    for kind in ("response.failed", "response.incomplete", "response.cancelled", "error"):
        assert not watch(path, sse({"type": kind}), size).is_cut()
        assert not watch(path, b"event: " + kind.encode() + b"\ndata: {}\n\n", size).is_cut()


def test_a_closing_event_that_did_not_arrive_whole_does_not_close() -> None:
    raw = sse(LONG)
    for at in (40, 200, len(raw) - 4):
        assert watch("/responses", raw[:at], 1000).is_cut()


@pytest.mark.parametrize(
    "path", ["/audio/transcriptions", "/threads/t/runs", "/messages", "/chat/completions/x/y", "/chat"]
)
def test_an_unknown_family_is_never_judged(path: str) -> None:
    assert family_of(path) is None
    assert not watch(path, sse({"type": "transcript.text.delta"}), 9).is_cut()


@pytest.mark.parametrize("size", [1, 50, 100_000])
@pytest.mark.parametrize(
    ("usage", "tokens"),
    [
        ({"prompt_tokens": 3, "completion_tokens": 4}, (3, 4)),
        ({"prompt_tokens": 3, "completion_tokens": None}, (3, 0)),
        ({"prompt_tokens": None, "completion_tokens": 4}, (0, 4)),
        ({"prompt_tokens": None, "completion_tokens": None}, None),
        ({"prompt_tokens": "3"}, None),
        ({"prompt_tokens": True, "completion_tokens": 1}, None),
        (None, None),
    ],
)
def test_tokens_are_counted_wherever_the_usage_stands(usage: object, tokens: object, size: int) -> None:
    far = sse({"choices": [], "usage": usage}, *[DELTA] * 400)
    assert len(far) > 32_768
    assert watch("/chat/completions", far + b"data: [DONE]\n\n", size).tokens == tokens


@pytest.mark.parametrize("family", [CHAT, RESPONSES])
def test_every_type_that_ends_a_stream_has_a_mark(family: Family) -> None:
    for kind in family.types:
        assert any(mark in kind.encode() for mark in family.marks)


@pytest.mark.parametrize("filler", [0, 10_000])
@pytest.mark.parametrize(
    ("usage", "tokens"),
    [
        ('{"prompt_tokens": 3, "completion_tokens": 4}', (3, 4)),
        ('{"input_tokens": 5, "output_tokens": 6, "x": {"usage": 1}}', (5, 6)),
        ('{"prompt_tokens": 8, "total_tokens": 8}', (8, 0)),
        ("null", None),
        ("[" * 5000, None),
        ('{"prompt_tokens": -1}', None),
        ('{"prompt_tokens": 1' + "0" * 400 + "}", None),
        ('{"prompt_tokens": 1' + "0" * 5000 + "}", None),
    ],
)
def test_the_usage_of_a_json_answer_is_that_of_its_top_level(usage: str, tokens: object, filler: int) -> None:
    nested = json.dumps({"data": [{"usage": {"prompt_tokens": 99}}], "text": '"usage": {"prompt_tokens": 1}'})
    body = nested[:-1].encode() + b', "fill": "' + b"y" * filler + b'", "usage": ' + usage.encode() + b', "z": 1}'
    for size in (7, 4096, 100_000):
        watcher = watcher_for("application/json", None, is_judged=True)
        assert b"".join(watcher.feed(body[at : at + size]) for at in range(0, len(body), size)) == body
        watcher.finish()
        assert watcher.tokens == tokens
