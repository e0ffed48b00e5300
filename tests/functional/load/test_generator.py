"""The engine against real servers: an open model, timed from when requests were due, and nothing hidden."""

from __future__ import annotations

import asyncio
import threading
import time
from functools import partial
from typing import Any

import pytest
from chalicelib.load import shard, split, timer
from chalicelib.load.arrivals import Arrivals
from chalicelib.load.generator import Generator
from chalicelib.load.plans import Limits, Plan
from chalicelib.load.recorder import Recorder
from chalicelib.load.worker import work
from chalicelib.phases.load_test.intervals import samples_for

from tests.functional.load.servers import OK, server


def plan(url: str, rps: float, duration_s: float, **other: Any) -> Plan:
    given: dict[str, Any] = {
        "url": url,
        "method": "POST",
        "body": b"hello",
        "arrivals": Arrivals("constant", rps, duration_s),
        "start_at": time.time() + 0.1,
        "signed": False,
        "window": (0.0, duration_s),
        "limits": Limits(timeout_s=5),
    }
    return Plan(**given | other)


def run(created: Plan, **other: Any) -> shard.Summary:
    return shard.combine(work(created, None, **other))


def test_every_request_that_is_due_is_sent_and_answered() -> None:
    with server() as (url, observed):
        summary = run(plan(url, 200, 1))
    assert (summary.due, summary.sent, summary.good, summary.unsent) == (200, 200, 200, 0)
    assert len(observed.times) == 200
    assert observed.heads[0].startswith(b"POST / HTTP/1.1\r\nhost: 127.0.0.1:")


def test_a_stall_is_seen_by_all_requests_that_were_due_in_it() -> None:
    """A closed loop would see one slow request for each connection; an open model sees every one that was due."""

    def stalling(_: int, elapsed_s: float) -> bytes | float:
        # The server stands still from 0.5 s to 1.0 s.
        return 1.0 - elapsed_s if 0.5 <= elapsed_s < 1.0 else OK

    with server(stalling) as (url, _):
        summary = run(plan(url, 200, 1.5))
    slow = summary.response.total - sum(summary.response.counts[: _index_of_ms(20)])
    assert slow >= 60
    assert summary.good == 300
    assert (summary.response.percentile(0.99) or 0) > 300_000


def test_time_spent_waiting_for_a_connection_counts_from_when_the_request_was_due() -> None:
    with server(lambda *_: 0.1) as (url, observed):
        summary = run(plan(url, 40, 1, limits=Limits(connections=1, give_up_s=30)))
    assert observed.connections == 1
    service, response = summary.service.percentile(0.5), summary.response.percentile(0.5)
    assert service is not None
    assert response is not None
    assert response > 5 * service


def test_what_cannot_be_sent_in_time_is_counted_as_unsent() -> None:
    with server(lambda *_: 0.2) as (url, observed):
        summary = run(plan(url, 100, 1, limits=Limits(connections=1, give_up_s=0.3)))
    assert summary.unsent > 50
    assert summary.good + summary.unsent == summary.due == 100
    assert len(observed.times) == summary.sent
    assert summary.unsent_share > 0.01


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (b"HTTP/1.1 500 Oh\r\ncontent-length: 0\r\n\r\n", "http_500"),
        (b"HTTP/1.1 429 No\r\nretry-after: 1\r\ncontent-length: 0\r\n\r\n", "http_429"),
        (b"this is not HTTP\r\n\r\n", "protocol"),
        (None, "dropped"),
        (9.0, "timeout"),
    ],
)
def test_errors_are_counted_by_kind(answer: Any, kind: str) -> None:
    with server(lambda *_: answer) as (url, _):
        summary = run(plan(url, 20, 0.5, limits=Limits(timeout_s=0.3)))
    assert summary.errors == {kind: 10}
    assert summary.error_rate == 1.0


def test_a_server_that_is_not_there_is_an_error_of_connecting() -> None:
    with server() as (url, _):
        pass
    assert run(plan(url, 20, 0.5)).errors == {"connect": 10}


def test_a_keep_alive_connection_that_the_server_closed_loses_no_request() -> None:
    closing = b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok"
    with server(lambda *_: closing) as (url, observed):
        summary = run(plan(url, 50, 0.5))
    assert (summary.good, summary.failed) == (25, 0)
    assert observed.connections >= 25


def test_chunked_answers_and_interim_ones_are_understood() -> None:
    chunked = b"HTTP/1.1 103 Early\r\n\r\nHTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"
    with server(lambda *_: chunked) as (url, _):
        summary = run(plan(url, 50, 0.5))
    assert (summary.good, summary.failed) == (25, 0)


def test_events_of_a_stream_are_counted_over_the_time_that_it_took() -> None:
    stream = b"data: {}\n\n" * 5
    answer = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(stream), stream)
    with server(lambda *_: answer) as (url, _):
        summary = run(plan(url, 20, 0.5, stream=True))
    assert summary.events == 50
    assert summary.first_byte.total == 10


def test_headers_of_the_proxy_split_the_time_into_gateway_proxy_and_upstream() -> None:
    headers = b"x-proxy-overhead-ms: 2.0\r\nx-proxy-upstream-ms: 3.0\r\n"
    answer = b"HTTP/1.1 200 OK\r\n%bcontent-length: 2\r\n\r\nok" % headers
    with server(lambda *_: answer) as (url, _):
        summary = run(plan(url, 20, 0.5))
    assert set(summary.parts) == {"proxy", "upstream", "gateway"}
    assert summary.parts["proxy"].percentile(0.5) == pytest.approx(2_000, rel=0.01)
    assert summary.parts["upstream"].percentile(0.5) == pytest.approx(3_000, rel=0.01)


class Swallowing(asyncio.WriteTransport):
    """A connection whose other side is the test."""

    def write(self, data: bytes | bytearray | memoryview) -> None:
        return


def test_a_head_that_comes_byte_by_byte_splits_the_time_all_the_same() -> None:
    headers = b"x-proxy-overhead-ms: 2.0\r\nx-proxy-upstream-ms: 3.0\r\n"
    answer = b"HTTP/1.1 103 Early\r\n\r\nHTTP/1.1 200 OK\r\n%bcontent-length: 2\r\n\r\nok" % headers
    recorder = Recorder()

    async def read() -> None:
        generator = Generator("http://127.0.0.1/", b"", recorder, Limits(), on_good=partial(split.note, recorder))
        wire = generator.wire()
        wire.connection_made(Swallowing())
        generator.idle.pop().send(time.perf_counter())
        for at in range(len(answer)):
            wire.data_received(answer[at : at + 1])
            await asyncio.sleep(0)

    asyncio.run(read())
    assert recorder.good == 1
    assert {name: sum(counts) for name, counts in recorder.parts.items()} == {"proxy": 1, "upstream": 1, "gateway": 1}


def test_an_answer_that_nobody_asked_for_is_no_answer_to_what_is_asked_next() -> None:
    with server(lambda *_: OK + OK) as (url, _):
        summary = run(plan(url, 20, 0.5, limits=Limits(timeout_s=1, connections=1)))
    assert summary.good + summary.failed == summary.due == 10
    assert set(summary.errors) <= {"protocol"}
    assert (summary.service.maximum() or 0) < 2_000_000


def test_where_the_kernel_has_no_exact_timer_the_loop_s_own_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timer, "_timerfd", lambda: -1)
    with server() as (url, _):
        summary = run(plan(url, 100, 0.5))
    assert (summary.due, summary.good) == (50, 50)


def test_the_stop_flag_ends_a_run_early_and_what_was_not_due_is_not_missed() -> None:
    began = threading.Event()

    def watch(recorder: Any, _: float) -> bool:
        began.set()
        return bool(recorder.good)

    with server() as (url, _):
        summary = run(plan(url, 50, 30), watch=watch)
    assert began.is_set()
    assert summary.stopped
    assert 0 < summary.due < 200
    assert (summary.unsent, summary.failed) == (0, 0)


def test_a_stopped_run_does_not_wait_for_an_answer_that_does_not_come() -> None:
    with server(lambda *_: 60.0) as (url, _):
        summary = run(plan(url, 50, 30, limits=Limits(timeout_s=60)), watch=lambda *_: True)
    assert summary.stopped
    assert summary.due == summary.good + summary.failed + summary.unsent


def test_a_worker_that_begins_late_says_by_how_much() -> None:
    with server() as (url, _):
        late = run(plan(url, 20, 0.2, start_at=time.time() - 2))
        punctual = run(plan(url, 20, 0.2))
    assert late.good == punctual.good == 4


def test_two_workers_that_are_told_the_same_start_begin_together() -> None:
    with server() as (url, _):
        start_at = time.time() + 1.0
        shards: list[bytes] = [b"", b""]

        def drive(worker: int) -> None:
            shards[worker] = work(plan(url, 40, 0.5, start_at=start_at, worker=worker, workers=2), None)[0]

        threads = [threading.Thread(target=drive, args=(worker,)) for worker in (0, 1)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
    summary = shard.combine(shards)
    assert (summary.workers, summary.good) == (2, 20)
    assert summary.start_skew_ms < 500


def test_a_quantile_needs_samples_beyond_it() -> None:
    assert samples_for(0.999) == 1_000


def _index_of_ms(ms: int) -> int:
    from chalicelib.load.histogram import index_of

    return index_of(ms * 1_000)
