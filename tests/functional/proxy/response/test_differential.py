"""Random streams cut at random places, read by openai-python through the proxy and directly.

The events are the same, and through the proxy an error comes exactly when the stream was cut.
"""

from __future__ import annotations

import contextlib
import json
import random
import socket
from collections.abc import Iterator
from typing import Any

import openai
import pytest

from tests.functional.proxy.rig import local_server, rig
from tests.functional.proxy.upstream import Seen, Upstream

ROUNDS = 120
PATIENT = {"connect_s": 60.0, "first_byte_s": 60.0, "idle_s": 60.0, "total_s": 120.0}  # on a busy machine, too
TEXTS = [
    "hi",
    "error",
    '"error": {',
    "data: [DONE]",
    "\\n\\ndata: x",
    "é\U0001f600",
    '{"type":"response.completed"}',
    "x" * 9000,
]


class Streams:
    """An upstream that sends the bytes a test sets, in random pieces, and ends or breaks off as it says."""

    def __init__(self, rnd: random.Random) -> None:
        self.rnd = rnd
        self.content = b""
        self.is_broken = False

    def behave(self, _: Upstream, __: Seen, client: socket.socket) -> bool:
        client.sendall(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
        at = 0
        while at < len(self.content):
            size = self.rnd.choice([1, 2, 7, 50, 1000, 100_000])
            piece = self.content[at : at + size]
            client.sendall(b"%x\r\n%b\r\n" % (len(piece), piece))
            at += size
        if self.is_broken:
            return False
        client.sendall(b"0\r\n\r\n")
        return True


def chat_stream(rnd: random.Random) -> bytes:
    """A whole stream of chat completions, with line ends, comments and fields of all kinds."""
    end = rnd.choice(["\n", "\r\n", "\r"])
    lines = []
    for number in range(rnd.randrange(1, 6)):
        chunk = {
            "id": "c",
            "object": "chat.completion.chunk",
            "created": 1,
            "model": "m",
            "choices": [{"index": 0, "delta": {"content": rnd.choice(TEXTS)}, "finish_reason": None}],
            "error": None,
            "number": number,
        }
        # No ids: openai-python takes a comment behind one for an event without data.
        lines += rnd.choice([[], [": comment", ""], ["event: x"]])
        lines += ["data:" + rnd.choice(["", " "]) + json.dumps(chunk, ensure_ascii=rnd.random() < 0.5), ""]
    lines += [rnd.choice(["data: [DONE]", "data:[DONE]"]), ""]
    return "".join(line + end for line in lines).encode()


def responses_stream(rnd: random.Random) -> bytes:
    """A whole stream of a response, with a closing event of any size."""
    events: list[dict[str, Any]] = [
        {"type": "response.output_text.delta", "delta": rnd.choice(TEXTS), "item_id": "i", "sequence_number": number}
        for number in range(rnd.randrange(4))
    ]
    response = {"id": "r", "object": "response", "instructions": "y" * rnd.choice([1, 20_000]), "error": None}
    events.append({"type": rnd.choice(["response.completed", "response.incomplete"]), "response": response})
    return b"".join(
        b"event: %b\ndata: %b\n\n" % (event["type"].encode(), json.dumps(event).encode()) for event in events
    )


def read(client: openai.OpenAI, family: str) -> tuple[list[str], str]:
    """(the events as JSON, the kind of error that ended them; empty for none)."""
    events: list[str] = []
    try:
        stream: Any
        if family == "chat":
            stream = client.chat.completions.create(model="m", messages=[], stream=True)
        else:
            stream = client.responses.create(model="m", input="x", stream=True)
        events.extend(event.model_dump_json() for event in stream)
    except openai.APIError:
        return events, "APIError"
    except Exception as error:  # noqa: BLE001  (a test looks at it)
        return events, type(error).__name__
    return events, ""


@contextlib.contextmanager
def clients(streams: Streams) -> Iterator[tuple[openai.OpenAI, openai.OpenAI]]:
    """openai-python over the proxy, and directly."""
    with (
        Upstream(streams.behave) as upstream,
        local_server(rig(upstream.base_url, retries=0, timeouts=PATIENT).parts) as url,
        openai.OpenAI(base_url=url, api_key="x", max_retries=0) as through,
        openai.OpenAI(base_url=upstream.base_url, api_key="x", max_retries=0) as direct,
    ):
        yield through, direct


def is_whole(family: str, content: bytes) -> bool:
    """Whether the event that ends a stream is in it with all of its data."""
    text = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    if family == "chat":
        return text.rstrip(b"\n").endswith(b"[DONE]")
    last = text.rstrip(b"\n").rpartition(b"data: ")[2]
    return last.endswith(b"}") and b'"response":' in last and last.count(b"{") == last.count(b"}")


@pytest.mark.parametrize("family", ["chat", "responses"])
def test_the_events_are_the_same_and_an_error_comes_exactly_when_the_stream_was_cut(family: str) -> None:
    rnd = random.Random(f"differential {family}")
    streams = Streams(rnd)
    outcomes = {True: 0, False: 0}
    with clients(streams) as (through, direct):
        for number in range(ROUNDS):
            whole = chat_stream(rnd) if family == "chat" else responses_stream(rnd)
            at = len(whole) if rnd.random() < 0.25 else rnd.randrange(len(whole) + 1)
            streams.content, streams.is_broken = whole[:at], rnd.random() < 0.3
            expected, _ = read(direct, family)
            events, error = read(through, family)
            place = f"round {number}, {at} of {len(whole)} bytes, broken: {streams.is_broken}"
            assert events == expected, place
            # A connection that breaks behind a whole last event takes nothing away.
            must_fail = not is_whole(family, streams.content)
            if not must_fail and streams.is_broken and not streams.content.endswith((b"\n\n", b"\r\r", b"\r\n\r\n")):
                continue  # the last event's empty line is missing, and the connection broke: either is right
            assert (error == "APIError") is must_fail, (place, error)
            outcomes[must_fail] += 1
    assert min(outcomes.values()) > ROUNDS / 10
