"""The load generators: how each runs on one core against a URL, and what it reports."""

from __future__ import annotations

import functools
import json
import os
import re
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
LOCUST = "locust==2.47.0"
LOCUST_HOME = ROOT / ".local" / "bench-locust"
CONNECTIONS = 16
_REAL_TIME = ("chrt", "-f", "1")
_SCRIPT = 'wrk.method="POST"; wrk.body=string.rep("a", 1000); wrk.headers["Content-Type"]="application/json"\n'
_TAIL = """done = function(summary, latency, requests)
  local at = function(share) return latency:percentile(share) end
  io.write(string.format("LATENCY %f %f %f\\n", at(50), at(99), at(99.9)))
end
"""
_LOCUSTFILE = """import json, pathlib, time
from locust import FastHttpUser, events, task
begun = []

@events.test_start.add_listener
def started(environment, **_):
    begun.append(time.process_time())

@events.test_stop.add_listener
def stopped(environment, **_):
    told = {"cpu_s": time.process_time() - begun[0], "requests": environment.stats.total.num_requests}
    pathlib.Path(__file__).with_suffix(".json").write_text(json.dumps(told))

class User(FastHttpUser):
    @task
    def ask(self):
        self.client.post("/", data=b"a" * 1000, headers={"content-type": "application/json"})
"""


class NotRun(Exception):
    """A generator is not installed and cannot be; the message says why."""


@dataclass(frozen=True)
class Ran:
    """What a generator did: requests and its own CPU seconds; percentiles (us) by share, where it reports them."""

    requests: int
    wall_s: float
    cpu_s: float
    percentiles_us: dict[str, float]

    @property
    def per_core(self) -> float:
        """Requests for each second of its own CPU time: waiting for the server costs a generator nothing."""
        return self.requests / self.cpu_s


def pinned(command: Sequence[str], core: int, *, urgent: bool = False, **variables: str) -> tuple[str, float, float]:
    """Run to the end on one core: its output, wall and CPU seconds. Raises NotRun when it fails.

    urgent: with real-time priority, where that is permitted.
    """
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'controlplane'}", **variables}
    pin = pin_to(core, urgent=urgent)
    done = subprocess.run(
        [*pin, *command], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=180, check=False
    )
    wall_s = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise NotRun(f"{command[0]} ended with {done.returncode}: {(done.stderr or done.stdout)[-300:]}")
    return done.stdout, wall_s, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def pin_to(core: int, *, urgent: bool) -> list[str]:
    """The prefix that pins a command to a core."""
    # macOS has no taskset; there the scheduler decides, and the CPU time still counts.
    pin = ["taskset", "-c", str(core)] if shutil.which("taskset") else []
    return [*_REAL_TIME, *pin] if urgent and may_be_urgent() else pin


@functools.cache
def may_be_urgent() -> bool:
    """Whether this user may run something with real-time priority: root on Linux, mostly."""
    if shutil.which("chrt") is None:
        return False
    return subprocess.run([*_REAL_TIME, "true"], capture_output=True, check=False).returncode == 0


def engine(
    url: str, rps: float, seconds: float, connections: int, core: int, *, give_up_s: float = 5.0, urgent: bool = False
) -> tuple[Ran, dict[str, Any]]:
    """Ours, with open-model timing and recording on; and its whole result. give_up_s: as in a load test."""
    command = [sys.executable, "-m", "bench.load.drive", url, str(rps), str(seconds), str(connections), str(give_up_s)]
    result = json.loads(pinned(command, core, urgent=urgent)[0])
    return Ran(result["good"], result["wall_s"], result["cpu_s"], result["percentiles_us"]), result


def wrk(url: str, seconds: int, core: int, *, urgent: bool = False) -> Ran:
    """Closed loop, one thread."""
    _need("wrk")
    script = ROOT / ".local" / "bench-wrk.lua"
    script.parent.mkdir(exist_ok=True)
    script.write_text(_SCRIPT + _TAIL)
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "-s", str(script), url]
    output, wall_s, cpu_s = pinned(command, core, urgent=urgent)
    requests = re.search(r"(\d+) requests in", output)
    latency = re.search(r"LATENCY (\S+) (\S+) (\S+)", output)
    if requests is None or latency is None:
        raise NotRun(f"wrk said something unexpected: {output[-200:]}")
    percentiles_us = {
        share: float(value) for share, value in zip(("0.5", "0.99", "0.999"), latency.groups(), strict=True)
    }
    return Ran(int(requests[1]), wall_s, cpu_s, percentiles_us)


def hey(url: str, seconds: int, core: int, rps: float | None = None, *, urgent: bool = False) -> Ran:
    """Closed loop; with `rps`, slowed down to that rate over all connections."""
    _need("hey")
    rate = ["-q", str(rps / CONNECTIONS)] if rps else []
    command = ["hey", "-z", f"{seconds}s", "-c", str(CONNECTIONS), "-m", "POST", "-d", "a" * 1_000, *rate, url]
    output, wall_s, cpu_s = pinned(command, core, urgent=urgent, GOMAXPROCS="1")
    counted = re.search(r"\[200\]\s+(\d+) responses", output)
    if counted is None:
        raise NotRun(f"hey said something unexpected: {output[-200:]}")
    percentiles_us = {}
    for share, name in (("0.5", "50%"), ("0.99", "99%")):
        value = re.search(rf"{name} in (\S+) secs", output)
        if value:
            percentiles_us[share] = float(value[1]) * 1e6
    return Ran(int(counted[1]), wall_s, cpu_s, percentiles_us)


def locust(url: str, seconds: int, core: int, *, urgent: bool = False) -> Ran:
    """FastHttpUser, one process, in an environment of its own, installed on first use."""
    home = _locust_home()
    file = home / "bench_locustfile.py"
    file.write_text(_LOCUSTFILE)
    command = [str(home / "bin" / "python"), "-m", "locust", "-f", str(file), "--headless", "--only-summary"]
    command += ["-u", str(CONNECTIONS), "-r", str(CONNECTIONS), "-t", f"{seconds}s", "-H", url.rstrip("/")]
    _, wall_s, _ = pinned([*command, "--loglevel", "ERROR"], core, urgent=urgent)
    result = json.loads(file.with_suffix(".json").read_text())
    if not result["requests"]:
        raise NotRun("it sent nothing in its time: this machine is too busy")
    # Only the test is counted, not the interpreter's start.
    return Ran(result["requests"], wall_s, result["cpu_s"], {})


def _locust_home() -> Path:
    stamp = LOCUST_HOME / LOCUST
    if stamp.exists():
        return LOCUST_HOME
    uv = [sys.executable, "-m", "uv"]
    try:
        subprocess.run([*uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(LOCUST_HOME)], check=True)
        python = str(LOCUST_HOME / "bin" / "python")
        subprocess.run([*uv, "pip", "install", "--quiet", "--python", python, LOCUST], check=True, timeout=600)
    except (subprocess.SubprocessError, OSError) as error:
        raise NotRun(f"Locust could not be installed ({error})") from None
    stamp.touch()
    return LOCUST_HOME


def _need(name: str) -> None:
    if shutil.which(name) is None:
        raise NotRun(f"{name} is not installed (Debian: apt-get install {name}; macOS: brew install {name})")
