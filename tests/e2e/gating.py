"""Releases of the proxy that are slower, or fail more often, against the gate: load test and shift, phase by phase.

The proxy, its API, its versions and its load are real; only the state machine, which is tested elsewhere, is left out.
"""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from chalicelib.domain.config import Config
from chalicelib.domain.errors import PhaseFailed
from chalicelib.domain.model import Environment, Release
from chalicelib.domain.options import Bake, Load, Slo

from tests.e2e.driving import Driver, Ran
from tests.e2e.rolling import spoiled

TAKES_S = 0.25
# Few requests at a time: a busy machine starts few Lambdas a second. 1 failure of 55 is above the bound of 1 %.
LOAD = Load(rps=5, duration_s=11, cold_starts=0)
SLO = Slo(p99_ms=None)
BAKE = Bake(steps=(50, 100), step_s=2, watch_s=0)
HEAD = "        exchange = self._begin(request)\n"
# Fails every 50th answer of all the version's processes together.
FAILS = """\
            import os
            count = os.open({path!r}, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
            os.write(count, b".")
            size = os.fstat(count).st_size
            os.close(count)
            if size % 50 == 0:
                raise RuntimeError("spoiled")
"""


def planted(seconds: float, mark: object, counter: Path | None = None) -> str:
    """Code that makes a chat of the load test take so long, and with a counter fail every 50th time.

    It answers to the load test's question only, which wants the shortest answer, so that other phases take no longer.
    """
    slow = f'        if b"tokens\\": 16" in request.body:\n            __import__("time").sleep({seconds})  # {mark}\n'
    return HEAD + slow + ("" if counter is None else FAILS.format(path=str(counter)))


@dataclass
class Gate:
    """An environment with a live version; `folder` holds the checkouts of spoiled proxies."""

    driver: Driver
    environment: str
    folder: Path
    config: Config = dataclasses.field(default_factory=Config)
    number: int = 0

    def publish(self, seconds: float = TAKES_S, *, fails: bool = False) -> str:
        """A candidate whose chat takes so long; its version."""
        self.number += 1
        folder = self.folder / str(self.number)
        counter = folder / "count" if fails else None
        code = planted(seconds, self.number, counter)
        bundle = spoiled(folder, "proxy/core.py", HEAD, code)
        self.driver.bundle_key = f"bundles/gate-{self.number}.zip"
        self.driver.operator("s3").put_object(
            Bucket=self.driver.bucket, Key=self.driver.bundle_key, Body=bundle.content
        )
        version: str = self.driver.roll(self.environment, self.config)["release_code"].evidence["version"]
        return version

    def tidy(self) -> None:
        """Remove what gates leave in the control plane's bucket: spoiled proxies, shards and curves of load tests."""
        s3, bucket = self.driver.operator("s3"), self.driver.bucket
        for prefix in ("bundles/gate-", "load/", "reports/"):
            for item in s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", []):
                s3.delete_object(Bucket=bucket, Key=item["Key"])

    def go_live(self, version: str) -> None:
        """Users get this version."""
        self.driver.operator("lambda").update_alias(
            FunctionName=f"proxyctl-{self.environment}-proxy", Name="live", FunctionVersion=version
        )
        release = Release(version, "d-gate", "2026-01-01T00:00:00.000+00:00")
        self.driver.environments[self.environment] = Environment(
            self.environment, status="LIVE", live=release, last_good=release
        )

    def load_test(self) -> Ran:
        """Raises PhaseFailed when the gate stops the candidate."""
        return self.driver.phase("load_test", self.environment, self.config, load=LOAD, slo=SLO)

    def shift(self) -> Ran:
        """Likewise."""
        return self.driver.phase("shift_traffic", self.environment, self.config, load=LOAD, slo=SLO, bake=BAKE)

    def live(self) -> str:
        """The version that users get."""
        alias = self.driver.operator("lambda").get_alias(FunctionName=f"proxyctl-{self.environment}-proxy", Name="live")
        version: str = alias["FunctionVersion"]
        return version


def judge_releases(gate: Gate, good: str) -> str:
    """Beside a live version: one that is 20 % slower and one with 2 % errors are stopped, an equal one becomes live."""
    gate.publish(TAKES_S * 1.2)
    slow = stopped(gate)
    assert slow.code == "CanaryWorse", slow.message
    assert "slower, limit 20 %" in slow.message

    gate.publish(fails=True)
    failing = stopped(gate)
    assert failing.code in ("CanaryWorse", "SloMissed"), failing.message
    assert "error" in failing.message
    assert gate.live() == good

    version = gate.publish()
    tested = gate.load_test().evidence
    assert tested["compared_with"] == f"version {good}, in the same seconds"
    compared = {each["metric"]: each["verdict"] for each in tested["comparisons"]}
    assert {"errors", "total_p50", "overhead_p50"} <= set(compared)
    assert set(compared.values()) <= {"NOT_WORSE", "UNDECIDED"}
    shifted = gate.shift().evidence
    assert requests_of(shifted) > requests_of(tested)
    assert gate.live() == version
    gate.go_live(version)
    return version


def stopped(gate: Gate) -> PhaseFailed:
    """How the load test refuses the candidate."""
    with pytest.raises(PhaseFailed) as refused:
        gate.load_test()
    return refused.value


def requests_of(evidence: Mapping[str, Any]) -> int:
    """How many of live's were compared."""
    return int(evidence["comparisons"][0]["worse"]["total"]["live"])


@contextmanager
def other_work(processes: int = 2) -> Iterator[None]:
    """Keeps the machine busy meanwhile."""
    burn = "import hashlib\nwhile True: hashlib.sha256(bytes(1 << 20)).digest()"
    running = [subprocess.Popen([sys.executable, "-c", burn]) for _ in range(processes)]
    try:
        yield
    finally:
        for process in running:
            process.kill()
            process.wait()
