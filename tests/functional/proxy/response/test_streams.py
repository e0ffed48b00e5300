"""Server-sent events through the core: at once, whole, and never ending in silence."""

from __future__ import annotations

import json
import threading
import time

import pytest

from proxy.message import StreamBroken
from tests.functional.proxy.rig import request, rig
from tests.functional.proxy.upstream import Upstream, events, stream

LIMITS = {"connect_s": 1.0, "first_byte_s": 1.0, "idle_s": 0.2, "total_s": 5.0}


def test_chunk_n_is_handed_over_before_the_upstream_sends_chunk_n_plus_1() -> None:
    chunks = events("a", "b", "c", "d")
    gates = [threading.Event() for _ in chunks[1:]]
    with Upstream(stream(chunks, gates=gates)) as upstream:
        body = iter(rig(upstream.base_url).parts.proxy.respond(request()).body)
        for number, chunk in enumerate(chunks):
            assert next(body) == chunk  # the upstream waits at its gate until this has arrived
            if number < len(gates):
                gates[number].set()
        assert list(body) == []


def test_a_whole_stream_passes_byte_for_byte_and_its_tokens_are_counted() -> None:
    usage = b'data: {"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":4}}\n\n'
    chunks = [*events("a", done=False), usage, b"data: [DONE]\n\n"]
    with Upstream(stream(chunks)) as upstream:
        proxy = rig(upstream.base_url)
        answer = proxy.ask()
        proxy.ask()
    assert (answer.body, answer.broken) == (b"".join(chunks), None)
    line = proxy.lines()[0]
    assert (line["tokens_in"], line["tokens_out"], line["streamed"]) == (3, 4, True)
    assert upstream.connections == 1


@pytest.mark.parametrize(
    ("end", "done", "code"),
    [
        ("cut", False, "upstream_disconnected"),
        ("reset", False, "upstream_disconnected"),
        ("clean", False, "stream_truncated"),
        ("stall", False, "idle_timeout"),
    ],
)
def test_a_stream_that_breaks_ends_in_an_error_event_and_in_an_exception(end: str, done: bool, code: str) -> None:
    with Upstream(stream(events("a", "b", done=done), end=end)) as upstream:
        proxy = rig(upstream.base_url, timeouts=LIMITS)
        answer = proxy.ask()
    assert answer.status == 200
    assert isinstance(answer.broken, StreamBroken)
    assert answer.chunks[-1].startswith(b'data: {"error": {"message": ')
    assert f'"code": "{code}"'.encode() in answer.chunks[-1]
    line = proxy.lines()[0]
    assert (line["error"], line["Errors"]) == (code, [1.0])


def test_an_event_that_was_cut_in_its_middle_is_dropped_before_the_error_event() -> None:
    whole = events("a", done=False)
    with Upstream(stream([*whole, b'data: {"choices": [', b'{"delta'], end="cut")) as upstream:
        answer = rig(upstream.base_url).ask()
    assert answer.body.startswith(whole[0] + b'data: {"error"')


def test_a_broken_stream_through_a_buffered_door_is_a_502_that_an_sdk_retries() -> None:
    with Upstream(stream(events("a", done=False))) as upstream:
        answer = rig(upstream.base_url).ask(hold=True)
    assert (answer.status, answer.json()["error"]["code"]) == (502, "stream_truncated")


def test_a_responses_stream_must_end_with_its_closing_event() -> None:
    delta = b'event: response.output_text.delta\ndata: {"type":"response.output_text.delta","delta":"x"}\n\n'
    end = b'event: response.completed\ndata: {"type":"response.completed","response":{"usage":{"input_tokens":1,'
    end += b'"output_tokens":2}}}\n\n'
    with Upstream(stream([delta]), script=[stream([delta, end])]) as upstream:
        proxy = rig(upstream.base_url)
        whole = proxy.ask("/v1/responses")
        cut = proxy.ask("/v1/responses")
    assert whole.broken is None
    assert (whole.exchange.tokens_in, whole.exchange.tokens_out) == (1, 2)
    assert cut.chunks[-1].startswith(b'event: error\ndata: {"type": "error", "code": "stream_truncated"')


def test_text_that_quotes_a_closing_event_does_not_close_a_stream() -> None:
    delta = b'data: {"type":"response.output_text.delta","delta":"{\\"type\\":\\"response.completed\\"} [DONE]"}\n\n'
    with Upstream(stream([delta])) as upstream:
        answer = rig(upstream.base_url).ask("/v1/responses")
    assert answer.exchange.error == "stream_truncated"


def test_a_stream_of_another_kind_has_no_closing_event_to_miss() -> None:
    with Upstream(stream([b'data: {"type":"transcript.text.delta"}\n\n'])) as upstream:
        answer = rig(upstream.base_url).ask("/v1/audio/transcriptions")
    assert answer.broken is None


def test_a_caller_that_stops_reading_closes_the_upstream_connection() -> None:
    gate = threading.Event()
    with Upstream(stream(events("a", "b"), gates=[gate])) as upstream:
        proxy = rig(upstream.base_url)
        response = proxy.parts.proxy.respond(request())
        next(iter(response.body))
        response.close()
        gate.set()
        assert proxy.ask().status == 200
    assert [received.connection for received in upstream.received] == [1, 2]


def test_a_slow_first_event_has_the_first_byte_limit_and_later_ones_the_idle_limit() -> None:
    limits = {**LIMITS, "first_byte_s": 0.6, "idle_s": 0.2}
    with Upstream(stream(events("a"), delay_s=5.0), script=[stream(events("a", "b"), first_delay_s=0.4)]) as upstream:
        proxy = rig(upstream.base_url, timeouts=limits)
        slow = proxy.ask()
        late = proxy.ask()
    assert slow.broken is None
    assert late.exchange.error == "first_byte_timeout"


def test_a_stream_that_falls_silent_is_cut_at_the_total_limit_if_that_comes_first() -> None:
    limits = {**LIMITS, "idle_s": 60.0, "total_s": 0.4}
    begun = time.monotonic()
    with Upstream(stream(events("a", done=False), end="stall")) as upstream:
        answer = rig(upstream.base_url, timeouts=limits).ask()
    assert answer.exchange.error == "total_timeout"
    assert time.monotonic() - begun < 30.0


@pytest.mark.parametrize(
    ("path", "event", "code"),
    [
        (
            "/v1/chat/completions",
            {"error": {"code": "context_length_exceeded", "message": "m"}},
            "context_length_exceeded",
        ),
        ("/v1/chat/completions", {"error": {"code": None, "type": "server_error"}}, "server_error"),
        ("/v1/chat/completions", {"error": {"code": "in your context: my secret plan", "type": "x"}}, "unnamed"),
        ("/v1/chat/completions", {"error": {"code": 429}}, "unnamed"),
        ("/v1/chat/completions", {"error": "my secret plan"}, "unnamed"),
        ("/v1/responses", {"type": "error", "code": "rate_limit_exceeded", "message": "m"}, "rate_limit_exceeded"),
        ("/v1/responses", {"type": "error", "code": "my secret plan"}, "unnamed"),
        ("/v1/responses", {"type": "response.failed", "response": {"error": {"code": "server_error"}}}, "server_error"),
        ("/v1/responses", {"type": "response.completed", "response": {"error": None}}, None),
    ],
)
def test_the_code_of_an_error_within_a_stream_is_logged_and_never_its_text(
    path: str, event: dict[str, object], code: str | None
) -> None:
    with Upstream(stream([b"data: " + json.dumps(event).encode() + b"\n\n"])) as upstream:
        proxy = rig(upstream.base_url)
        answer = proxy.ask(path)
    assert (answer.broken, proxy.lines()[0].get("upstream_error")) == (None, code)
    assert "my secret plan" not in proxy.log.getvalue()
