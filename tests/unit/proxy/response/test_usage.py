"""Counting tokens and seeing the end of a stream, however the bytes are cut."""

import json

import pytest

from proxy.response.usage import TAIL, Watcher

CHAT = "/chat/completions"
EVENTS = "text/event-stream; charset=utf-8"


def fed(watcher: Watcher, data: bytes, size: int) -> Watcher:
    for at in range(0, len(data), size):
        watcher.feed(data[at : at + size])
    return watcher


@pytest.mark.parametrize("size", [1, 7, 100_000])
@pytest.mark.parametrize(
    ("usage", "tokens"),
    [
        ({"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}, (3, 4)),
        ({"input_tokens": 5, "output_tokens": 6, "input_tokens_details": {"cached_tokens": 1}}, (5, 6)),
        ({"prompt_tokens": 8, "total_tokens": 8}, (8, 0)),
    ],
)
def test_usage_is_read_from_the_end_of_any_answer(usage: dict[str, object], tokens: tuple[int, int], size: int) -> None:
    text = json.dumps({"data": "x" * (TAIL * 2), "said": 'the "usage": {"prompt_tokens": 1}', "usage": usage, "z": 1})
    assert fed(Watcher("/x", "application/json"), text.encode(), size if size > 1 else 4096).tokens() == tokens


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        '{"usage": null}',
        '{"usage": {"prompt_tokens": "3"}}',
        '"usage"',
        '{"usage": {',
        '{"usage": ' + "[" * 5000,
        '{"usage": {"prompt_tokens": -1}}',
        '{"usage": {"prompt_tokens": 1' + "0" * 400 + "}}",
        '{"usage": {"prompt_tokens": 1' + "0" * 5000 + "}}",
    ],
)
def test_no_usage_is_none(text: str) -> None:
    assert fed(Watcher("/x", "application/json"), text.encode(), 5).tokens() is None


def test_binary_answers_are_not_looked_into() -> None:
    watcher = fed(Watcher("/audio/speech", "audio/mpeg"), b'"usage": {"prompt_tokens": 1, "completion_tokens": 2}', 9)
    assert watcher.tokens() is None
    assert not watcher.is_cut()


@pytest.mark.parametrize("size", [1, 13, 1000])
def test_a_chat_stream_is_whole_with_done_or_an_error_and_cut_without(size: int) -> None:
    delta = b'data: {"choices":[{"delta":{"content":"say \\"data: [DONE] error\\""}}]}\n\n'
    assert not fed(Watcher(CHAT, EVENTS), delta + b"data: [DONE]\n\n", size).is_cut()
    assert not fed(Watcher(CHAT, EVENTS), delta + b'data: {"error": {"message": "x"}}\n\n', size).is_cut()
    assert fed(Watcher(CHAT, EVENTS), delta, size).is_cut()


@pytest.mark.parametrize("kind", ["response.completed", "response.incomplete", "response.failed", "error"])
def test_a_responses_stream_is_whole_with_its_closing_event_however_long(kind: str) -> None:
    end = json.dumps({"type": kind, "response": {"output": "y" * (TAIL * 3)}}).encode()
    assert not fed(Watcher("/responses", EVENTS), b"data: " + end + b"\n\n", 1000).is_cut()
    assert fed(Watcher("/responses", EVENTS), b'data: {"type": "response.created"}\n\n', 1000).is_cut()


def test_other_streams_have_no_mark_to_miss() -> None:
    assert not fed(Watcher("/audio/transcriptions", EVENTS), b"data: {}\n\n", 100).is_cut()
