"""A stream of ten minutes through the Lambda loop arrives whole, and no default alarm fires for it."""

from __future__ import annotations

import contextlib
import io
import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from chalicelib.domain.config import AlarmThresholds, Config

from proxy import settings
from proxy.clock import Clock
from proxy.doors.runtime import Loop
from proxy.doors.runtime_api import RuntimeApi
from proxy.secret.schema import Timeouts
from proxy.upstream.connection import Connection
from proxy.wiring import Parts
from tests.functional.proxy.doors.long_streams import of_aws, of_line, ringing
from tests.functional.proxy.environment import Environment, secret_answer
from tests.functional.proxy.rig import Store, request, secret
from tests.functional.proxy.runtime_standin import Posted, RuntimeStandIn, rest_event
from tests.functional.proxy.upstream import Upstream, chat, events, stream

STREAM_S = 600
EVENT = rest_event("/v1/chat/completions", "POST", json.dumps({"model": "gpt-4o", "messages": [], "stream": True}))
LIMITS = {name: getattr(Timeouts(), name) for name in ("connect_s", "first_byte_s", "idle_s", "total_s")}


class VirtualTime:
    """A clock that passes only when it is told to."""

    def __init__(self) -> None:
        self.now = 0.0
        self._began = time.time()

    def clock(self) -> Clock:
        return Clock(monotonic=lambda: self.now, wall=lambda: self._began + self.now, sleep=self.advance)

    def advance(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with Upstream(chat()) as serving:
        yield serving


def in_virtual_time(
    upstream: Upstream, chunks: list[bytes], limit_s: int, monkeypatch: pytest.MonkeyPatch
) -> tuple[Posted, dict[str, Any]]:
    """Stream the chunks over ten minutes that pass while the proxy waits for them: what Lambda gets, and the line."""
    clock, gates = VirtualTime(), [threading.Event() for _ in chunks[1:]]
    waiting, read = iter(gates), Connection.read

    def read_later(connection: Connection, seconds: float) -> bytes:
        clock.advance(STREAM_S / len(chunks))
        next(waiting, threading.Event()).set()
        return read(connection, 10.0 if seconds > 0 else seconds)

    monkeypatch.setattr(Connection, "read", read_later)
    upstream.script.append(stream(chunks, gates=gates))
    store = Store(secret(upstream.base_url, timeouts=LIMITS))
    parts = Parts(settings.Settings("", "dev", "INFO", "stream", "sha256:abc", 300.0, "7"), store, clock.clock())
    log = io.StringIO()
    with RuntimeStandIn() as lambdas, contextlib.redirect_stdout(log):
        lambdas.invoke(EVENT, limit_s)
        api = RuntimeApi(lambdas.address)
        Loop(api, parts, stream=True, content_type="application/x").serve(api.next())
        posted = lambdas.posted.get(timeout=20)
    assert clock.now >= min(STREAM_S, limit_s) - 1
    return posted, json.loads(log.getvalue().splitlines()[-1])


CHUNKS = events(*(f"word {number} " for number in range(60)))


def test_ten_minutes_arrive_whole_and_ring_nothing(upstream: Upstream, monkeypatch: pytest.MonkeyPatch) -> None:
    posted, line = in_virtual_time(upstream, CHUNKS, Config().time_limit_s("stream"), monkeypatch)
    assert posted.prelude()[1] == b"".join(CHUNKS)
    assert posted.trailers == {}
    assert line["duration_ms"] >= (STREAM_S - 11) * 1_000
    assert line["first_byte_ms"] >= 9_000
    assert ringing({**of_aws(STREAM_S), **of_line(line)}) == set()


def test_the_buffered_limit_would_have_cut_it(upstream: Upstream, monkeypatch: pytest.MonkeyPatch) -> None:
    """The test above sees a time limit: with that of buffered answers the stream ends early, in an error."""
    posted, line = in_virtual_time(upstream, CHUNKS, Config().time_limit_s("buffered"), monkeypatch)
    assert posted.trailers
    assert line["error"] == "total_timeout"


def test_a_proxy_that_is_slow_itself_rings() -> None:
    """Both sides of each threshold on times; how long the model speaks is on no side."""
    limits = AlarmThresholds()
    metrics = {
        ("proxyctl", "Overhead"): limits.overhead_p99_ms,
        ("proxyctl", "FirstByteOverhead"): limits.first_byte_p99_ms,
    }
    assert ringing({**of_aws(STREAM_S), **metrics}) == {"overhead", "first-byte"}
    below = {key: value - 0.1 for key, value in metrics.items()}
    assert ringing({**of_aws(STREAM_S), **below}) == set()


def test_failures_of_a_long_stream_ring() -> None:
    failed = {("proxyctl", "Errors"): 1.0, ("AWS/ApiGateway", "5XXError"): 1.0, ("AWS/Lambda", "Errors"): 1.0}
    assert ringing({**of_aws(STREAM_S), **failed}) == {"errors", "server-errors", "function-errors"}


def test_a_caller_who_reads_slowly_is_no_overhead_of_the_proxys(upstream: Upstream) -> None:
    parts = Parts(settings.Settings("", "dev", "INFO", "stream", "d", 300.0, "7"), Store(secret(upstream.base_url)))
    upstream.script.append(stream(events("a", "b")))
    response = parts.proxy.respond(request())
    pieces = 0
    for _ in response.body:
        time.sleep(0.3)
        pieces += 1
    exchange, now = response.exchange, time.monotonic()
    assert exchange.caller_s >= 0.3 * pieces > 0
    assert exchange.overhead_s(now) <= now - exchange.started - exchange.caller_s


@pytest.mark.long
def test_ten_real_minutes_through_a_lambda_environment(artifact_folder: Path, upstream: Upstream) -> None:
    """The same with a process, sockets and a clock that nobody winds: 300 events, one every two seconds."""
    chunks = events(*(f"word {number} " for number in range(300)))
    upstream.script.append(stream(chunks, delay_s=2.0))
    environment = Environment(artifact_folder, [secret_answer(upstream.base_url, timeouts=LIMITS)], "stream").ready()
    try:
        posted = environment.runtime.call(EVENT, Config().time_limit_s("stream"), wait_s=STREAM_S + 60)
    finally:
        _, lines = environment.end()
    assert posted.prelude()[1] == b"".join(chunks)
    assert posted.trailers == {}
    (line,) = [line for line in lines if line.get("message") == "request"]
    assert line["duration_ms"] >= STREAM_S * 1_000
    assert ringing({**of_aws(STREAM_S), **of_line(line)}) == set()
