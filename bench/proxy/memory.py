"""Memory of the loop's process, from the artifact, after 100 and after 1,000 requests."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

from bench.figures import Bound, Report
from bench.proxy.processes import BODY, PATH, upstream
from tests.functional.proxy import artifact
from tests.functional.proxy.environment import Environment, secret_answer
from tests.functional.proxy.runtime_standin import rest_event


def measure(requests: int) -> Report:
    """Resident memory (MB of 10^6 bytes) after 100 and after `requests` streamed invocations."""
    report = Report("memory of the Lambda process")
    event = rest_event(PATH, "POST", BODY.decode())
    with tempfile.TemporaryDirectory() as folder, upstream() as port:
        answers = [secret_answer(f"http://127.0.0.1:{port}/v1")]
        environment = Environment(artifact.build(Path(folder)), answers, "stream").ready()
        try:
            for number in range(1, requests + 1):
                environment.runtime.call(event)
                if number in (1, 100, requests):
                    resident = _resident_mb(environment.process.pid)
                    report.lines.append(f"after {number:>5} requests: {resident:.1f} MB resident")
        finally:
            environment.end()
    report.bounds.append(Bound(f"resident after {requests} requests", resident, high=45.0, unit="MB"))
    return report


def _resident_mb(pid: int) -> float:
    shown = subprocess.run(["ps", "-o", "rss=", "-p", str(pid)], capture_output=True, check=True)
    return int(shown.stdout) * 1024 / 1e6
