"""Added latency, one connection, sequential: each round calls everything once, so that noise hits all alike."""

from __future__ import annotations

import contextlib
import io
import time
from collections.abc import Callable

from bench.figures import Bound, Report
from bench.proxy import litellm
from bench.proxy.figures import NotRun, added_ms, row
from bench.proxy.processes import (
    bare_caller,
    chat_request,
    lean_caller,
    local_door,
    parts,
    upstream,
)

WARM_UP = 200
LEAN = "http.client's parser, one write (stricter)"


def measure(requests: int, *, with_litellm: bool) -> Report:
    """`requests` rounds of: bare http.client, respond(), the same with its log line, the local door, LiteLLM."""
    report = Report(f"added latency over a bare keep-alive http.client call, {requests} requests each")
    with contextlib.ExitStack() as stack:
        port = stack.enter_context(upstream())
        callers: dict[str, Callable[[], object]] = {
            "bare http.client": bare_caller(port),
            LEAN: lean_caller(port),
            **_respond(port),
        }
        callers["python -m proxy, one hop more"] = bare_caller(stack.enter_context(local_door(port)))
        if with_litellm:
            try:
                there = stack.enter_context(litellm.proxy(port))
                callers["LiteLLM's proxy, one worker, one hop more"] = bare_caller(there)
            except NotRun as reason:
                report.lines.append(f"NOT RUN  LiteLLM's proxy: {reason}")
        times = _rounds(callers, requests)
    report.lines += [row(name, values) for name, values in times.items()]
    bare, respond = times["bare http.client"], times["respond()"]
    stricter = added_ms(respond, times[LEAN], 0.5), added_ms(respond, times[LEAN], 0.99)
    report.lines.append(f"respond() over the stricter measure: p50 +{stricter[0]:.3f}, p99 {stricter[1]:+.3f} ms")
    report.bounds.append(Bound("respond(), added p50", added_ms(respond, bare, 0.5), high=0.15, unit="ms"))
    report.bounds.append(Bound("respond(), added p99", added_ms(respond, bare, 0.99), high=0.5, unit="ms"))
    theirs = times.get("LiteLLM's proxy, one worker, one hop more")
    if theirs:
        lean = times[LEAN]
        share = added_ms(respond, lean, 0.5) / added_ms(theirs, lean, 0.5)
        report.bounds.append(Bound("added p50 (stricter) as a part of LiteLLM's", share, high=1 / 40, unit="of it"))
    else:
        report.lines.append("NOT RUN  comparison with LiteLLM (ask for it with --litellm)")
    return report


def _respond(port: int) -> dict[str, Callable[[], object]]:
    wired, request, log = parts(port), chat_request(), io.StringIO()

    def respond() -> object:
        response = wired.proxy.respond(request)
        body = b"".join(response.body)
        if response.status != 200:
            raise RuntimeError(f"respond() answered {response.status}: {body[:200]!r}")
        return response

    def respond_and_log() -> object:
        response = wired.proxy.respond(request)
        b"".join(response.body)
        log.seek(0)
        with contextlib.redirect_stdout(log):
            wired.telemetry.request_ended(response.exchange)
        return response

    return {"respond()": respond, "respond() and its log line with metrics": respond_and_log}


def _rounds(callers: dict[str, Callable[[], object]], requests: int) -> dict[str, list[float]]:
    times: dict[str, list[float]] = {name: [] for name in callers}
    for number in range(requests + WARM_UP):
        for name, call in callers.items():
            begun = time.perf_counter()
            call()
            if number >= WARM_UP:
                times[name].append(time.perf_counter() - begun)
    return times
