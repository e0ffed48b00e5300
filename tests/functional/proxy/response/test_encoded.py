"""Answers and requests that are compressed: decoded where the standard library can, else passed and not judged."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable

import pytest

from proxy.message import Request
from tests.functional.proxy.rig import rig
from tests.functional.proxy.upstream import CHAT, Behaviour, Upstream, chat, events, reply

STREAM = b"".join(events("hi"))


def deflate(data: bytes) -> bytes:
    raw = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return raw.compress(data) + raw.flush()


CODINGS: list[tuple[str, Callable[[bytes], bytes]]] = [
    ("gzip", gzip.compress),
    ("X-Gzip", gzip.compress),
    ("deflate", zlib.compress),
    ("deflate", deflate),
    ("identity, gzip", gzip.compress),
    ("gzip", lambda data: gzip.compress(data[:9]) + gzip.compress(data[9:])),
]


def encoded(coding: str, body: bytes, kind: str, status: int = 200) -> Behaviour:
    return reply(status, body, [("content-encoding", coding)], kind)


@pytest.mark.parametrize(("coding", "encode"), CODINGS)
def test_a_compressed_stream_is_decoded_judged_and_counted(coding: str, encode: Callable[[bytes], bytes]) -> None:
    usage = b'data: {"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":4}}\n\n'
    with Upstream(encoded(coding, encode(usage + STREAM), "text/event-stream")) as upstream:
        proxy = rig(upstream.base_url)
        answer = proxy.ask()
    assert (answer.body, answer.broken, answer.header("content-encoding")) == (usage + STREAM, None, None)
    assert answer.header("content-length") is None
    line = proxy.lines()[0]
    assert (line["Errors"], line["tokens_out"], line.get("error", "")) == ([0.0], 4, "")


def test_a_compressed_stream_that_is_cut_gets_an_error_event_in_the_clear() -> None:
    whole = gzip.compress(b"".join(events("hi", done=False)))
    with Upstream(encoded("gzip", whole, "text/event-stream")) as upstream:
        answer = rig(upstream.base_url).ask()
    assert answer.exchange.error == "stream_truncated"
    assert answer.chunks[-1].startswith(b'data: {"error"')


@pytest.mark.parametrize("size", [20, -1])
def test_compressed_content_that_ends_early_is_broken(size: int) -> None:
    with Upstream(
        encoded("gzip", gzip.compress(b'{"a": "' + b"x" * 1000 + b'"}')[:size], "application/json")
    ) as upstream:
        answer = rig(upstream.base_url).ask()
    assert answer.exchange.error == "upstream_malformed"


@pytest.mark.parametrize("coding", ["br", "zstd", "gzip, br"])
def test_what_cannot_be_decoded_passes_untouched_and_is_not_judged(coding: str) -> None:
    with Upstream(encoded(coding, b"\x1f\x8bnot to be read", "text/event-stream")) as upstream:
        proxy = rig(upstream.base_url)
        answer = proxy.ask()
    assert (answer.body, answer.header("content-encoding")) == (b"\x1f\x8bnot to be read", coding)
    assert answer.header("content-length") == "16"
    assert proxy.lines()[0]["Errors"] == [0.0]


def test_tokens_and_aliases_are_read_in_compressed_answers() -> None:
    listing = json.dumps({"object": "list", "data": [{"id": "gpt-4o", "object": "model"}]}).encode()
    script = [encoded("gzip", gzip.compress(json.dumps(CHAT).encode()), "application/json")]
    with Upstream(encoded("gzip", gzip.compress(listing), "application/json"), script=script) as upstream:
        proxy = rig(upstream.base_url, models={"fast": {"target": "gpt-4o"}})
        assert (proxy.ask().json(), proxy.lines()[0]["tokens_out"]) == (CHAT, 12)
        models = proxy.ask("/v1/models", method="GET").json()
    assert [entry["id"] for entry in models["data"]] == ["gpt-4o", "fast"]


@pytest.mark.parametrize(("method", "status"), [("HEAD", 200), ("GET", 206)])
def test_what_has_no_whole_body_keeps_its_coding(method: str, status: int) -> None:
    body = gzip.compress(b"{}")
    with Upstream(encoded("gzip", body, "application/json", status)) as upstream:
        answer = rig(upstream.base_url).ask("/v1/files/x/content", method=method)
    assert (answer.header("content-encoding"), answer.header("content-length")) == ("gzip", str(len(body)))
    assert answer.broken is None


@pytest.mark.parametrize(("coding", "encode"), CODINGS)
def test_a_compressed_request_is_decoded_and_mapped(coding: str, encode: Callable[[bytes], bytes]) -> None:
    body = encode(b'{"model":"fast","messages":[]}')
    headers = {"content-encoding": coding}
    with Upstream(chat()) as upstream:
        answer = rig(upstream.base_url, models={"fast": {"target": "gpt-4o"}}).ask(body=body, headers=headers)
    assert (answer.status, upstream.received[0].json()["model"]) == (200, "gpt-4o")
    assert upstream.received[0].header("content-encoding") is None


@pytest.mark.parametrize("coding", ["br", "zstd", "gzip, gzip", "compress"])
def test_a_coding_that_is_not_supported_is_a_415_that_names_it_and_what_works(coding: str) -> None:
    with Upstream(chat()) as upstream:
        answer = rig(upstream.base_url).ask(body=b"x", headers={"content-encoding": coding})
    assert (answer.status, answer.header("accept-encoding")) == (415, "gzip, deflate, identity")
    assert coding in answer.json()["error"]["message"]
    assert upstream.received == []


def test_an_encoded_body_that_nobody_reads_passes_untouched() -> None:
    headers = {"content-type": "application/octet-stream", "content-encoding": "br"}
    with Upstream(chat()) as upstream:
        assert rig(upstream.base_url).ask("/v1/files", body=b"\x0b\x02", headers=headers).status == 200
    assert (upstream.received[0].body, upstream.received[0].header("content-encoding")) == (b"\x0b\x02", "br")


@pytest.mark.parametrize(("size", "status"), [(900, 200), (5000, 413)])
def test_a_request_may_not_grow_above_the_limit(size: int, status: int) -> None:
    body = gzip.compress(b'{"model":"m","x":"' + b"y" * size + b'"}')
    assert len(body) < 1000
    with Upstream(chat()) as upstream:
        answer = rig(upstream.base_url).ask(body=body, headers={"content-encoding": "gzip"}, body_limit=1000)
    assert answer.status == status


@pytest.mark.parametrize("body", [b"no gzip", gzip.compress(b'{"model":"m"}', mtime=0)[:-9]])
def test_a_request_that_is_not_encoded_as_it_says_is_a_400(body: bytes) -> None:
    answer = rig("http://127.0.0.1:9/v1").ask(body=body, headers={"content-encoding": "gzip"})
    assert (answer.status, answer.json()["error"]["code"]) == (400, "invalid_body")


def test_a_coding_in_a_header_of_its_own_counts_beside_another_one() -> None:
    lines = [("content-encoding", "identity"), ("content-encoding", "gzip")]
    with Upstream(reply(200, gzip.compress(STREAM), lines, "text/event-stream")) as upstream:
        assert rig(upstream.base_url).ask().body == STREAM


def test_the_codings_of_a_request_may_stand_in_several_headers() -> None:
    headers = (("content-type", "application/json"), ("content-encoding", "identity"), ("content-encoding", "gzip"))
    body = gzip.compress(b'{"model":"fast"}')
    with Upstream(chat()) as upstream:
        proxy = rig(upstream.base_url, models={"fast": {"target": "gpt-4o"}})
        sent = Request("POST", "/v1/chat/completions", "", headers, body, 1000)
        list(proxy.parts.proxy.respond(sent).body)
    assert upstream.received[0].json() == {"model": "gpt-4o"}
