"""Streams: time to first byte, and how long each chunk takes from the upstream, with and without the proxy."""

from __future__ import annotations

import http.client
import json
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

from bench.figures import Bound, Report
from bench.proxy.figures import added_ms, row
from bench.proxy.processes import PATH, STREAM_BODY, chat_request, parts, upstream
from tests.functional.proxy import artifact
from tests.functional.proxy.environment import Environment, secret_answer
from tests.functional.proxy.runtime_standin import rest_event

DIRECT, RESPOND, LAMBDA = "direct, http.client", "respond()", "Lambda loop, to the Runtime API"


def measure(streams: int) -> Report:
    """`streams` streams of 50 chunks, 4 ms apart, by each way in turn."""
    report = Report(f"{streams} streams of 50 chunks each")
    first: dict[str, list[float]] = {DIRECT: [], RESPOND: [], LAMBDA: []}
    late: dict[str, list[float]] = {DIRECT: [], RESPOND: [], LAMBDA: []}
    with tempfile.TemporaryDirectory() as folder, upstream() as port:
        wired = parts(port)
        direct = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        answers = [secret_answer(f"http://127.0.0.1:{port}/v1")]
        environment = Environment(artifact.build(Path(folder)), answers, "stream").ready()
        event = rest_event(PATH, "POST", STREAM_BODY.decode())
        try:
            for _ in range(streams):
                _note(DIRECT, time.monotonic(), _direct(direct), first, late)
                begun = time.monotonic()
                body = wired.proxy.respond(chat_request(STREAM_BODY)).body
                _note(RESPOND, begun, ((time.monotonic(), chunk) for chunk in body), first, late)
                begun = time.monotonic()
                chunks = environment.runtime.call(event).chunks[1:]  # without the prelude
                _note(LAMBDA, begun, chunks, first, late)
        finally:
            environment.end()
            direct.close()
    report.lines += [row(f"time to first byte: {name}", values) for name, values in first.items()]
    report.lines += [row(f"chunk's way: {name}", values) for name, values in late.items()]
    for name in (RESPOND, LAMBDA):
        report.bounds.append(
            Bound(f"{name}: chunk delayed, p50", added_ms(late[name], late[DIRECT], 0.5), high=1.0, unit="ms")
        )
        report.bounds.append(
            Bound(f"{name}: chunk delayed, p99", added_ms(late[name], late[DIRECT], 0.99), high=5.0, unit="ms")
        )
    return report


def _direct(connection: http.client.HTTPConnection) -> Iterable[tuple[float, bytes]]:
    connection.request("POST", PATH, STREAM_BODY, {"content-type": "application/json"})
    response = connection.getresponse()
    while chunk := response.read1(65_536):
        yield time.monotonic(), chunk


def _note(
    name: str,
    begun: float,
    arrivals: Iterable[tuple[float, bytes]],
    first: dict[str, list[float]],
    late: dict[str, list[float]],
) -> None:
    """Each event says when it left; two that arrive in one chunk count as two."""
    started = False
    for at, chunk in arrivals:
        if not started:
            first[name].append(at - begun)
            started = True
        for line in chunk.split(b"\n\n"):
            if line.startswith(b"data: {"):
                late[name].append(at - json.loads(line[6:])["sent"] / 1e9)
