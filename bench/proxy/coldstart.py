"""Cold starts: from the start of a process to its first GET …/invocation/next, and to its first answered request."""

from __future__ import annotations

import contextlib
import json
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from bench.figures import Bound, Report
from bench.proxy.processes import BODY, PATH, clean_environment, upstream
from tests.functional.proxy import artifact
from tests.functional.proxy.environment import Environment, secret_answer
from tests.functional.proxy.runtime_standin import RuntimeStandIn, rest_event

# Each is followed by the same request, so that what differs is what was imported and made before it.
POLL = (
    "import http.client, os; c = http.client.HTTPConnection(os.environ['AWS_LAMBDA_RUNTIME_API']); "
    "c.request('GET', '/2018-06-01/runtime/invocation/next'); c.getresponse().read()"
)
OTHERS = {
    "bare interpreter, nothing imported": "import os, socket; h, p = os.environ['AWS_LAMBDA_RUNTIME_API'].split(':'); "
    "s = socket.create_connection((h, int(p))); s.sendall(b'GET /next HTTP/1.1\\r\\n\\r\\n'); s.recv(1)",
    "bare interpreter with json, ssl, http.client": f"import json, ssl, http.client; {POLL}",
    "boto3's Secrets Manager client": "import boto3; "
    f"boto3.client('secretsmanager', region_name='eu-central-1'); {POLL}",
    "openai + boto3 + client": "import openai, boto3; boto3.client('secretsmanager', region_name='eu-central-1'); "
    f"openai.OpenAI(api_key='x'); {POLL}",
}
EAGER = (
    "import sys; from aws_lambda_powertools.logging import Logger; "
    "from aws_lambda_powertools.metrics.provider.cloudwatch_emf import cloudwatch; "
    "from proxy.doors.runtime import main; sys.exit(main())"
)
NOW, BEFORE = "proxy", "proxy, the earlier version"
BASE, SDKS = "bare interpreter with json, ssl, http.client", "openai + boto3 + client"


@dataclass
class Starts:
    """Seconds of each start: to the first GET …/invocation/next, and of a proxy to its first answered request.

    `cpu` is the process's processor time until that answer, which other work on the machine stretches least.
    """

    ready: list[float] = field(default_factory=list)
    answered: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)


def measure(rounds: int, before: str = "") -> Report:
    """Medians of `rounds` starts each, interleaved. `before`: a checkout of an earlier version."""
    report = Report(f"cold start, median of {rounds} starts each")
    starts: dict[str, Starts] = {}
    eager = Starts()
    with tempfile.TemporaryDirectory() as folder, upstream() as port:
        proxies = {NOW: artifact.build(Path(folder) / "now")}
        if before:
            proxies[BEFORE] = artifact.build(Path(folder) / "before", Path(before) / "proxy")
        for number in range(rounds + 1):
            for name, code in OTHERS.items():
                starts.setdefault(name, Starts()).ready.append(_start(code))
            # In turn, for the first one has the caches that the SDKs have filled.
            for name, built in sorted(proxies.items(), reverse=bool(number % 2)):
                _start_proxy(built, port, starts.setdefault(name, Starts()))
            _start_proxy(proxies[NOW], port, eager, EAGER)
    _describe(report, starts, eager.ready)
    _bound(report, starts, before)
    return report


def _ms(seconds: list[float]) -> float:
    """The median in milliseconds. The first start warms the page cache and does not count."""
    return statistics.median(seconds[1:]) * 1000.0


def _describe(report: Report, starts: dict[str, Starts], eager: list[float]) -> None:
    for name, each in starts.items():
        least = min(each.ready[1:]) * 1000.0
        report.lines.append(f"{name:<46} {_ms(each.ready):8.1f} ms to the first /next (least {least:.1f})")
    report.lines.append(f"{'proxy, Powertools imported at init':<46} {_ms(eager):8.1f} ms to the first /next")
    for name, each in starts.items():
        if each.answered:
            least, cpu = min(each.answered[1:]) * 1000.0, _ms(each.cpu)
            line = f"{name:<46} {_ms(each.answered):8.1f} ms to the first answered request (least {least:.1f})"
            report.lines.append(f"{line}, {cpu:.1f} ms of CPU")


def _bound(report: Report, starts: dict[str, Starts], before: str) -> None:
    ready = {name: _ms(each.ready) for name, each in starts.items()}
    report.bounds.append(
        Bound("proxy / interpreter with json+ssl+http.client", ready[NOW] / ready[BASE], high=3.0, unit="x")
    )
    report.bounds.append(Bound("proxy / (openai + boto3 + client)", ready[NOW] / ready[SDKS], high=1 / 6, unit="x"))
    if not before:
        report.lines.append("NOT RUN  the earlier version (--before FOLDER)")
        return
    now, then = starts[NOW], starts[BEFORE]
    report.bounds.append(Bound("first /next, as a part of before", ready[NOW] / ready[BEFORE], high=1.05, unit="of it"))
    for what, ratio in (
        ("first answered request", _ms(now.answered) / _ms(then.answered)),
        ("CPU until the first answered request", _ms(now.cpu) / _ms(then.cpu)),
    ):
        report.bounds.append(Bound(f"{what}, as a part of before", ratio, high=1.05, unit="of it"))


def _start(code: str) -> float:
    """Seconds from a process's start to its first request."""
    with RuntimeStandIn() as runtime:
        environment = {**clean_environment(), "AWS_LAMBDA_RUNTIME_API": runtime.address}
        begun = time.monotonic()
        with subprocess.Popen([sys.executable, "-c", code], env=environment, stderr=subprocess.DEVNULL) as started:
            if not runtime.polls.acquire(timeout=60):
                raise RuntimeError(f"did not start: {code}")
            seconds = runtime.first_poll_at - begun
            runtime.close()
            with contextlib.suppress(subprocess.TimeoutExpired):
                started.wait(timeout=10)
    return seconds


def _start_proxy(folder: Path, port: int, starts: Starts, code: str = "") -> None:
    """Start `bootstrap`, and note when the first /next came and when the first chat answer had ended."""
    answers = [secret_answer(f"http://127.0.0.1:{port}/v1")]
    command = [sys.executable, "-s", "-S", "-E", "-c", code] if code else None
    environment = Environment(folder, answers, "stream", command=command)
    begun = environment.started_at
    environment.runtime.invoke(rest_event(PATH, "POST", BODY.decode()))
    posted = environment.runtime.posted.get(timeout=60)
    starts.answered.append(time.monotonic() - begun)
    starts.cpu.append(_cpu_s(environment.process.pid))
    starts.ready.append(environment.runtime.first_poll_at - begun)
    environment.end()
    if json.loads(posted.prelude()[1])["object"] != "chat.completion":
        raise RuntimeError("the first request was not answered")


def _cpu_s(pid: int) -> float:
    """Seconds of CPU that all threads of a process have used (Linux)."""
    tasks = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(task.read_text().split()[0]) for task in tasks) / 1e9
