"""`python -m tests.fuzz.api`: many inputs to the control API, through app.py in this process; exit code 1 on a failure.

Each input is a request that is right, changed in a few places: path, query, headers, JSON, bytes. No answer is a 5xx,
each refusal says why, none quotes the secret, none takes long, and the process does not grow.
"""

from __future__ import annotations

import argparse
import copy
import json
import multiprocessing
import random
import string
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import psutil
from botocore.credentials import Credentials

from tests.fakes import FakeAws
from tests.fakes.served_api import STAGE, Gateway
from tests.functional.api.world import SECRET, populated

HANG_S = 5.0  # of this process's own time
MB = 1 << 20
_WORLD = 200  # inputs to one world: what they have made is forgotten then
_WARM = 0.3  # of the inputs, until memory is compared: caches fill
_GROWTH_MB = 40
_SLOW = "/openapi.json"  # derived from the types anew each time, so it is drawn seldom

NASTY: Sequence[Any] = (
    None, True, False, 0, -1, 1, 2**31, 2**63, -(2**63), 10**400, 0.1, -0.0, 1e-320, 1e308, "", " ", "\0", "\ud800",
    "é", "𝔘", "a" * 300, "../..", "%2e%2e", "dev", "DEV", "a-b", "-", "null", "NaN", "2026-13-45", [], {}, [[]], [None],
    {"": ""}, {"a": {"b": {"c": [1, {"d": None}]}}}, ["x"] * 200, "https://[::1", "http://127.0.0.1:1/x", "arn:aws:",
)  # fmt: skip
_BYTES = (b"", b"\x00", b"\xff\xfe", b"{", b"]", b'"', b"1e999", b"NaN", b"\\u0000", b"[" * 2_000, b"\xef\xbb\xbf")
_VALID_JSON = "application/json"
_TYPES = (_VALID_JSON, "application/json; charset=utf-16", "text/plain", "", "*/*", "image/png", "multipart/form-data")
_OPTIONS: Mapping[str, Any] = {
    "load": {"rps": 30, "duration_s": 4, "cold_starts": 1, "workers": 1},
    "slo": {"p99_ms": 2000, "error_rate": 0.01},
    "bake": {"steps": [10, 50, 100], "step_s": 60, "watch_s": 300},
    "reason": "fuzz",
    "if_busy": "wait",
    "ttl_hours": 4,
}
_CONFIG: Mapping[str, Any] = {
    "memory_mb": 512,
    "timeout_s": 29,
    "throttle": {"rate_per_s": 50, "burst": 100},
    "alarms": {"p99_ms": 2000},
    "notify": ["ops@example.com"],
    "webhook": {"url": "https://hooks.example.com/x"},
    "protected": True,
    "secret_arn": None,
}


@dataclass
class Input:
    """A request: method, path and query as sent, headers with names in lower case, body."""

    method: str
    path: str
    query: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def target(self) -> str:
        return STAGE + self.path + (f"?{self.query}" if self.query else "")


@dataclass
class Report:
    """What a run came to. growth_mb: of the process, after caches were warm."""

    inputs: int = 0
    answers: Counter[int] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    slowest_s: float = 0.0
    growth_mb: float = 0.0


def corpus(names: Mapping[str, str]) -> list[Input]:
    """One right request for each route and action, with names of things that exist."""
    ended, live = names["id"], names["name"]
    secret, fleet = f"/environments/{live}/secret", f"/fleets/shops/deployments/{names['fleet']}"
    starts = [{"environment": "fresh"}, {"environment": live, "config": _CONFIG, "options": _OPTIONS, "create": True}]
    starts += [
        {"environment": live, "action": action}
        for action in ("plan", "rotate", "revalidate", "rollback", "cleanup", "drill")
    ]
    gets = [
        "/deployments", f"/deployments/{ended}", f"/deployments/{ended}/report", f"/deployments/{ended}/handoff",
        "/environments", f"/environments/{live}", secret, f"{secret}/history", f"/environments/{live}/incidents",
        f"/environments/{live}/incidents/x", f"/environments/{live}/history", "/nights",
        f"/environments/{live}/costs", "/health", "/openapi.json",
        "/fleets", "/fleets/shops", "/fleets/shops/deployments", fleet, f"{fleet}/report",
    ]  # fmt: skip
    return [
        *(Input("GET", path) for path in gets),
        Input("GET", "/deployments", f"environment={live}&status=FAILED&limit=5"),
        *(_with_body("POST", "/deployments", body) for body in starts),
        *(Input("POST", f"/deployments/{names['running']}/{verb}") for verb in ("abort", "approve")),
        Input("POST", f"/deployments/{ended}/resume"),
        _with_body("POST", "/fleets/others/deployments", {"waves": [[live]], "gate": {"soak_s": 5}, "at_once": 2}),
        Input("POST", f"{fleet}/abort", "roll_back=true"),
        Input("POST", f"{fleet}/approve"),
        _with_body("PUT", secret, SECRET),
        _with_body("PATCH", secret, {"models": {"new": {"target": "gpt-4o"}}, "client_keys": None}),
        _with_body("POST", f"{secret}/rollback", {"version_id": "v1"}),
    ]


def _with_body(method: str, path: str, body: Any) -> Input:
    return Input(method, path, "", {"content-type": _VALID_JSON}, json.dumps(body).encode())


class Fuzzer:
    """Draws everything from one random generator, so that a seed repeats a run.

    prepare: called with each new world's gateway, to plant a fault in a test of this fuzzer.
    """

    def __init__(self, seed: int, prepare: Callable[[Gateway, FakeAws], None] = lambda _gateway, _aws: None) -> None:
        self.random, self.prepare = random.Random(seed), prepare
        self.report = Report()
        self._renew()

    def _renew(self) -> None:
        aws, names = populated()
        self.gateway = Gateway(aws, Credentials("AKIATEST", "secret"))
        self.corpus = corpus(names)
        self.prepare(self.gateway, aws)

    def run(self, count: int) -> Report:
        """Send so many inputs to a route; what API Gateway answers by itself does not count."""
        process, warm, after_warm = psutil.Process(), int(count * _WARM), 0
        drawn = 0
        while self.report.inputs < count:
            drawn += 1
            if drawn % _WORLD == 0:
                self._renew()
            if not after_warm and self.report.inputs >= warm:
                after_warm = process.memory_info().rss
            self.send(self.draw())
        self.report.growth_mb = (process.memory_info().rss - after_warm) / MB
        if self.report.growth_mb > _GROWTH_MB:
            self.report.failures.append(f"the process grew by {self.report.growth_mb:.0f} MB")
        return self.report

    def send(self, sent: Input) -> None:
        """One request; what is wrong with its answer goes into the report."""
        route = self.gateway.route(sent.method, STAGE + sent.path)
        if route is None:
            return  # API Gateway answers 403 by itself
        self.report.inputs += 1
        began = time.process_time()
        try:
            status, _, body = self.gateway.admitted(sent.method, sent.target, sent.headers, sent.body, route)
        except Exception as error:  # noqa: BLE001 - a failure to report, with its input
            self._fail(sent, f"{type(error).__name__}: {error}")
            return
        took = time.process_time() - began
        self.report.answers[status] += 1
        self.report.slowest_s = max(self.report.slowest_s, took)
        for problem in problems(status, body, took):
            self._fail(sent, problem)

    def _fail(self, sent: Input, problem: str) -> None:
        self.report.failures.append(f"{problem}: {sent.method} {sent.target!r} {sent.headers} {sent.body[:300]!r}")

    def draw(self) -> Input:
        """A right request, changed one to four times; some stay right."""
        chosen = self.random.choice(self.corpus)
        if chosen.path == _SLOW and self.random.random() < 0.9:
            return self.draw()
        changed = copy.deepcopy(chosen)
        for _ in range(self.random.choice((0, 1, 1, 1, 2, 2, 4))):
            self.random.choice(
                (self._path, self._query, self._header, self._json, self._json, self._json, self._bytes)
            )(changed)
        return changed

    def _text(self) -> str:
        letters = string.ascii_letters + string.digits + "-_./%~é\u2028\x7f #"
        return "".join(self.random.choices(letters, k=self.random.choice((1, 3, 20, 64, 300))))

    def _value(self) -> Any:
        return copy.deepcopy(self.random.choice(NASTY)) if self.random.random() < 0.8 else self._text()

    def _path(self, changed: Input) -> None:
        parts = changed.path.split("/")
        parts[self.random.randrange(1, len(parts))] = quote(self._text(), safe="%")
        changed.path = "/".join(parts)

    def _query(self, changed: Input) -> None:
        name = self.random.choice(("environment", "status", "limit", "cursor", "now", "wait", "reason", self._text()))
        value = _shown(self._value()).encode("utf-8", "replace")
        changed.query = "&".join(filter(None, [changed.query, f"{quote(name)}={quote(value)}"]))

    def _header(self, changed: Input) -> None:
        # Idempotency keys of secrets are digested slowly on purpose, so they are drawn seldom.
        name = self.random.choice(("content-type",) * 4 + ("if-none-match",) * 2 + ("idempotency-key", "accept"))
        drawn = self.random.choice(_TYPES) if name == "content-type" else self._text()
        changed.headers[name] = drawn.encode("latin-1", "replace").decode("latin-1")

    def _json(self, changed: Input) -> None:
        try:
            document = json.loads(changed.body)
        except (ValueError, RecursionError):
            return
        document = self._within(document, 0)
        changed.body = json.dumps(document).encode()

    def _within(self, value: Any, depth: int) -> Any:
        """The value with something else at one place in it."""
        if isinstance(value, dict) and value and self.random.random() < 0.9 - depth * 0.1:
            name = self.random.choice(list(value))
            how = self.random.random()
            if how < 0.15:
                return {**value, self._text(): self._value()}
            if how < 0.3:
                return {self._text() if key == name else key: item for key, item in value.items()}
            return {**value, name: self._within(value[name], depth + 1)}
        if isinstance(value, list) and value and self.random.random() < 0.7:
            at = self.random.randrange(len(value))
            return [*value[:at], self._within(value[at], depth + 1), *value[at + 1 :]]
        return self._value()

    def _bytes(self, changed: Input) -> None:
        body = bytearray(changed.body or b"{}")
        for _ in range(self.random.choice((1, 1, 3, 10))):
            at = self.random.randrange(len(body) + 1)
            body[at : at + self.random.choice((0, 1, 2))] = self.random.choice(_BYTES)
        changed.body = bytes(body)


def _shown(value: Any) -> str:
    """As text; Python refuses to write integers of thousands of digits."""
    return json.dumps(value)[:400]


def problems(status: int, body: bytes, took_s: float) -> list[str]:
    """What is wrong with an answer."""
    wrong = []
    if status >= 500:
        wrong.append(f"{status} {body[:200]!r}")
    if took_s > HANG_S:
        wrong.append(f"took {took_s:.1f} s")
    if str(SECRET["api_key"]).encode() in body:
        wrong.append("the answer quotes the secret's key")
    if 400 <= status < 500:
        try:
            error = json.loads(body)["error"]
            wrong += [] if error["code"] and error["message"] else ["a refusal without code or message"]
        except (ValueError, KeyError, TypeError):
            wrong.append(f"a refusal of another shape: {body[:200]!r}")
    return wrong


def run(seed: int, count: int) -> Report:
    """One process's share."""
    return Fuzzer(seed).run(count)


def main() -> int:
    """Run, say what came out; 0 when nothing failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.api", description=__doc__)
    parser.add_argument("--inputs", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    begun, share = time.monotonic(), -(-options.inputs // options.processes)
    jobs = [(options.seed * 1000 + number, share) for number in range(options.processes)]
    with multiprocessing.get_context("spawn").Pool(options.processes) as pool:
        reports = pool.starmap(run, jobs)
    answers = sum((report.answers for report in reports), Counter[int]())
    failures = [failure for report in reports for failure in report.failures]
    counted = ", ".join(f"{count:,} x {status}" for status, count in sorted(answers.items()))
    inputs, slowest = sum(report.inputs for report in reports), max(report.slowest_s for report in reports)
    growth = max(report.growth_mb for report in reports)
    print(f"{inputs:,} inputs in {time.monotonic() - begun:.0f} s, seed {options.seed}; answers: {counted}")
    print(f"slowest {slowest * 1_000:.0f} ms of processor time; memory grew by {growth:.1f} MB")
    for failure in failures[:20]:
        print(f"FAILED {failure}")
    print(f"fuzz of the control API: {len(failures)} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
