"""Throughput, latency and CPU of whole proxies at 1, 16 and 64 keep-alive connections, each on one core.

The proxy under test runs on one core, the upstream and the load on the other; the proxies take turns, and the median
of several rounds counts. Closed loop: a connection sends its next request when it has the answer to the last one.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from bench.figures import Bound, Report
from bench.proxy import litellm, portkey
from bench.proxy.figures import NotRun, percentile
from bench.proxy.processes import BODY, PATH, clean_environment, local_door, process, upstream

CONNECTIONS = (1, 16, 64)
SECONDS = 1.5
OURS, BARE = "python -m proxy", "bare aiohttp pass-through"


@dataclass
class Subject:
    """A proxy to measure, by its port. `rates` and the others by the number of connections."""

    port: int
    pid: int
    headers: dict[str, str] = field(default_factory=dict)
    rates: dict[int, list[float]] = field(default_factory=dict)
    p99_ms: dict[int, list[float]] = field(default_factory=dict)
    cpu_us: dict[int, list[float]] = field(default_factory=dict)


class Caller(asyncio.Protocol):
    """One connection in a closed loop."""

    def __init__(self, payload: bytes, until: float, times: list[float]) -> None:
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._payload, self._until, self._times = payload, until, times
        self._pending = b""
        self._begun = 0.0
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by asyncio."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._send()

    def _send(self) -> None:
        assert self._transport is not None
        self._begun = time.perf_counter()
        self._transport.write(self._payload)

    def data_received(self, data: bytes) -> None:
        """Called by asyncio."""
        self._pending += data
        head, blank, body = self._pending.partition(b"\r\n\r\n")
        length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
        whole = len(body) >= int(length) if length else body.endswith(b"0\r\n\r\n")
        if not blank or not whole:
            return
        if b" 200 " not in head[:16]:
            self.ended.set_exception(RuntimeError(f"answered {self._pending[:200]!r}"))
            return
        self._pending = b""
        self._times.append(time.perf_counter() - self._begun)
        if time.perf_counter() < self._until:
            self._send()
        elif not self.ended.done():
            self.ended.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by asyncio."""
        if not self.ended.done():
            self.ended.set_exception(exc or ConnectionResetError())


async def drive(subject: Subject, connections: int) -> None:
    """Load a proxy for SECONDS, and note what came out."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in subject.headers.items())
    head = f"POST {PATH} HTTP/1.1\r\nhost: 127.0.0.1:{subject.port}\r\ncontent-type: application/json\r\n{lines}"
    payload = f"{head}authorization: Bearer sk-x\r\ncontent-length: {len(BODY)}\r\n\r\n".encode() + BODY
    loop, times = asyncio.get_running_loop(), list[float]()
    begun, cpu = time.perf_counter(), _cpu_s(subject.pid)
    callers = []
    for _ in range(connections):
        _, caller = await loop.create_connection(
            lambda: Caller(payload, begun + SECONDS, times), "127.0.0.1", subject.port
        )
        callers.append(caller)
    await asyncio.wait_for(asyncio.gather(*(caller.ended for caller in callers)), 60.0)
    took = time.perf_counter() - begun
    subject.rates.setdefault(connections, []).append(len(times) / took)
    subject.p99_ms.setdefault(connections, []).append(percentile(times, 0.99) * 1000.0)
    subject.cpu_us.setdefault(connections, []).append((_cpu_s(subject.pid) - cpu) / len(times) * 1e6)


def _cpu_s(pid: int) -> float:
    """Seconds of CPU that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure(rounds: int, *, with_others: bool) -> Report:
    """Rounds of all proxies in turn."""
    report = Report(f"whole proxies on one core, {rounds} rounds of {SECONDS:g} s each")
    if not hasattr(os, "sched_setaffinity") or (os.cpu_count() or 1) < 2:
        report.lines.append("NOT RUN  needs Linux and two cores")
        return report
    with contextlib.ExitStack() as stack:
        stack.callback(os.sched_setaffinity, 0, os.sched_getaffinity(0))
        pin(0)
        port = stack.enter_context(upstream())
        subjects = _subjects(stack, port, report, with_others=with_others)
        for _ in range(rounds):
            for connections in CONNECTIONS:
                for subject in subjects.values():
                    asyncio.run(drive(subject, connections))
    for name, subject in subjects.items():
        report.lines += [row(name, subject, connections) for connections in CONNECTIONS]
    ratio = statistics.median(subjects[OURS].rates[16]) / statistics.median(subjects[BARE].rates[16])
    report.bounds.append(
        Bound("requests/s at 16 connections as a part of the bare pass-through's", ratio, low=0.25, unit="of it")
    )
    return report


def row(name: str, subject: Subject, connections: int) -> str:
    """The medians of a proxy at a number of connections."""
    rate, p99, cpu = (
        statistics.median(values[connections]) for values in (subject.rates, subject.p99_ms, subject.cpu_us)
    )
    return f"{name:<28} {connections:3} connections {rate:8.0f}/s  p99 {p99:8.2f} ms  {cpu:7.0f} us of CPU a request"


def pin(core: int) -> None:
    """Put this process, and what it starts from now on, on one core."""
    cores = sorted(os.sched_getaffinity(os.getppid()))
    os.sched_setaffinity(0, {cores[core % len(cores)]})


def _subjects(stack: contextlib.ExitStack, port: int, report: Report, *, with_others: bool) -> dict[str, Subject]:
    pin(1)
    subjects = {}
    for name, start in _starts(port, with_others=with_others).items():
        try:
            with new_children() as children:
                there = stack.enter_context(start)
            headers = portkey.headers(port) if name.startswith("Portkey") else {}
            subjects[name] = Subject(there, children[0], headers)
        except NotRun as reason:
            report.lines.append(f"NOT RUN  {name}: {reason}")
    if not with_others:
        report.lines.append("NOT RUN  LiteLLM and Portkey (ask for them with --litellm)")
    pin(0)
    return subjects


def _starts(port: int, *, with_others: bool) -> dict[str, contextlib.AbstractContextManager[int]]:
    starts: dict[str, contextlib.AbstractContextManager[int]] = {OURS: local_door(port), BARE: _passthrough(port)}
    if with_others:
        starts |= {"LiteLLM's proxy": litellm.proxy(port), "Portkey's gateway": portkey.gateway(port)}
    return starts


@contextlib.contextmanager
def _passthrough(port: int) -> Iterator[int]:
    command = [sys.executable, "-m", "bench.proxy.passthrough", str(port)]
    with process(command, stdout=subprocess.PIPE, env=clean_environment()) as started:
        assert started.stdout is not None
        yield int(started.stdout.readline())


@contextlib.contextmanager
def new_children() -> Iterator[list[int]]:
    """The processes that are started meanwhile, in order."""
    before, started = set(_children()), list[int]()
    yield started
    started += [pid for pid in _children() if pid not in before]


def _children() -> list[int]:
    text = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text()
    return [int(pid) for pid in text.split()]
