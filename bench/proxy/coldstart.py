"""Cold starts: from the start of a process to its first GET …/invocation/next, and to its first answered request."""

from __future__ import annotations

import contextlib
import json
import statistics
import subprocess
import sys
import tempfile
import time
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
BASE, SDKS = "bare interpreter with json, ssl, http.client", "openai + boto3 + client"


def measure(rounds: int) -> Report:
    """Medians of `rounds` starts each, interleaved."""
    report = Report(f"cold start, median of {rounds} starts each")
    ready: dict[str, list[float]] = {name: [] for name in (*OTHERS, "proxy")}
    answered: list[float] = []
    eager: list[float] = []
    with tempfile.TemporaryDirectory() as folder, upstream() as port:
        built = artifact.build(Path(folder))
        for number in range(rounds + 1):
            for name, code in OTHERS.items():
                seconds = _start(code)
                ready[name] += [seconds] if number else []  # the first round warms the page cache
            first, done = _start_proxy(built, port)
            ready["proxy"] += [first] if number else []
            answered += [done] if number else []
            eager += [_start_proxy(built, port, EAGER)[0]] if number else []
    medians = {name: statistics.median(values) * 1000.0 for name, values in ready.items()}
    for name, value in medians.items():
        report.lines.append(f"{name:<46} {value:8.1f} ms to the first /next (least {min(ready[name]) * 1000.0:.1f})")
    with_powertools = statistics.median(eager) * 1000.0
    report.lines.append(f"{'proxy, Powertools imported at init':<46} {with_powertools:8.1f} ms to the first /next")
    report.lines.append(f"{'proxy':<46} {statistics.median(answered) * 1000.0:8.1f} ms to the first answered request")
    report.bounds.append(
        Bound("proxy / interpreter with json+ssl+http.client", medians["proxy"] / medians[BASE], high=3.0, unit="x")
    )
    report.bounds.append(
        Bound("proxy / (openai + boto3 + client)", medians["proxy"] / medians[SDKS], high=1 / 6, unit="x")
    )
    return report


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


def _start_proxy(folder: Path, port: int, code: str = "") -> tuple[float, float]:
    """Seconds from the start of `bootstrap` to the first /next, and to the end of the first chat answer."""
    answers = [secret_answer(f"http://127.0.0.1:{port}/v1")]
    command = [sys.executable, "-s", "-S", "-E", "-c", code] if code else None
    environment = Environment(folder, answers, "stream", command=command)
    begun = environment.started_at
    environment.runtime.invoke(rest_event(PATH, "POST", BODY.decode()))
    posted = environment.runtime.posted.get(timeout=60)
    done = time.monotonic()
    first = environment.runtime.first_poll_at
    environment.end()
    if json.loads(posted.prelude()[1])["object"] != "chat.completion":
        raise RuntimeError("the first request was not answered")
    return first - begun, done - begun
