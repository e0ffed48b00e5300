"""This version of the proxy beside an earlier one (`--before FOLDER`, a checkout of it), in turn: what a chunk and a
request cost.

Each turn is a process of its own that runs one version of `respond()` over the same upstream; CPU time is of that
process alone. The local door is compared at 16 connections.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from bench.figures import Bound, Report
from bench.proxy import concurrency
from bench.proxy.processes import ROOT, clean_environment, local_door, upstream

TURNS = 7
CONNECTIONS = 16
# Works with every version: only the place of the secret's stores has changed.
_TURN = """
import importlib.util, json, sys, time
from proxy.message import Request
from proxy.settings import Settings
from proxy.wiring import Parts
name = "proxy.secret.store" if importlib.util.find_spec("proxy.secret") else "proxy.secretstore"
store = __import__(name, fromlist=["TextStore"]).TextStore
port, streams = int(sys.argv[1]), int(sys.argv[2])
secret = json.dumps({"schema": 1, "api_key": "sk-upstream", "base_url": f"http://127.0.0.1:{port}/v1"})
parts = Parts(Settings("", "bench", "INFO", "stream", "", 3600.0, "1"), store(lambda: secret))
headers = (("content-type", "application/json"), ("authorization", "Bearer c"))
late, count = [], 0
def ask(stream):
    body = json.dumps({"model": "gpt-4o-mini", "stream": stream, "messages": []}).encode()
    return parts.proxy.respond(Request("POST", "/v1/chat/completions", "", headers, body, 10**7)).body
def run():
    global count
    for chunk in ask(True):
        now, at = time.monotonic_ns(), chunk.rfind(b'"sent": ')
        count += 1
        if at >= 0:
            late.append((now - int(chunk[at + 8 : chunk.index(b"}", at)])) / 1e3)
run(); late.clear(); count = 0
begun = time.process_time()
for _ in range(streams):
    run()
chunk_us = (time.process_time() - begun) / count * 1e6
for _ in range(300):
    b"".join(ask(False))
begun = time.process_time()
for _ in range(1000):
    b"".join(ask(False))
request_us = (time.process_time() - begun) * 1e3
late.sort()
print(json.dumps([chunk_us, late[len(late) // 2], request_us]))
"""
NAMES = ("us of CPU a chunk", "us of a chunk's way, p50", "us of CPU a request")


def measure(before: str) -> Report:
    """Both versions in turn, and their local doors."""
    report = Report(f"respond() and the local door beside the version in {before or 'no folder'}")
    if not before:
        report.lines.append("NOT RUN  needs a checkout of an earlier version (--before FOLDER)")
        return report
    folders = {"before": Path(before), "now": ROOT}
    figures: dict[str, list[list[float]]] = {name: [] for name in folders}
    with upstream() as port:
        for _ in range(TURNS):
            for name, folder in folders.items():
                figures[name].append(_turn(folder, port))
    for index, what in enumerate(NAMES):
        then, now = (statistics.median(turn[index] for turn in figures[name]) for name in folders)
        report.lines.append(f"{what:<26} before {then:7.1f}  now {now:7.1f}")
        report.bounds.append(Bound(f"{what}, as a part of before", now / then, high=1.05, unit="of it"))
    _doors(report, folders)
    return report


def _turn(folder: Path, port: int) -> list[float]:
    command = [sys.executable, "-c", _TURN, str(port), "12"]
    done = subprocess.run(command, cwd=folder, env=clean_environment(), capture_output=True, text=True, timeout=120)
    if done.returncode:
        raise RuntimeError(f"the version in {folder} cannot be measured: {done.stderr[-300:]}")
    figures: list[float] = json.loads(done.stdout)
    return figures


def _doors(report: Report, folders: dict[str, Path]) -> None:
    with contextlib.ExitStack() as stack:
        stack.callback(os.sched_setaffinity, 0, os.sched_getaffinity(0))
        concurrency.pin(0)
        port = stack.enter_context(upstream())
        concurrency.pin(1)
        subjects = {name: stack.enter_context(_door(folder, port)) for name, folder in folders.items()}
        concurrency.pin(0)
        for _ in range(TURNS):
            for subject in subjects.values():
                asyncio.run(concurrency.drive(subject, CONNECTIONS))
    report.lines += [concurrency.row(f"local door, {name}", each, CONNECTIONS) for name, each in subjects.items()]
    then, now = (statistics.median(each.cpu_us[CONNECTIONS]) for each in subjects.values())
    report.bounds.append(Bound("requests for the same CPU, as a multiple of before", then / now, low=1.4))


@contextlib.contextmanager
def _door(folder: Path, port: int) -> Iterator[concurrency.Subject]:
    with concurrency.new_children() as children, contextlib.ExitStack() as stack:
        there = stack.enter_context(local_door(port, folder))
        rest = stack.pop_all()
    with rest:
        yield concurrency.Subject(there, children[0])
