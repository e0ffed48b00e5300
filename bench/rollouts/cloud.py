"""An embedded cloud of the bench's own with the control plane in it; every AWS call of its Lambdas is written down."""

from __future__ import annotations

import json
import os
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ctl.client import Client
from installer import deploy, environment, target
from installer.demo import secret_of
from installer.target import Target
from local import cloud, emulator, strict
from local.state import Cloud

ROOT = Path(__file__).resolve().parents[2]
Calls = Counter[tuple[str, str]]
"""How often a Lambda (by its name in app.py) called an operation (`service:Operation`)."""


@dataclass(frozen=True)
class Bench:
    """The running cloud, its operator, and a client of the control API."""

    cloud: Cloud
    aws: Target
    client: Client
    calls_file: Path

    def secret(self) -> dict[str, Any]:
        """A proxy secret that points at the stand-in for OpenAI."""
        return dict(secret_of(self.cloud))

    def position(self) -> int:
        """The end of the record of calls now."""
        return self.calls_file.stat().st_size if self.calls_file.exists() else 0

    def calls_since(self, position: int) -> Calls:
        """Calls of the Lambdas of the state machine after `position`; those of the API belong to the client's polls."""
        if not self.calls_file.exists():
            return Counter()
        with self.calls_file.open("rb") as file:
            file.seek(position)
            entries = [json.loads(line) for line in file]
        rows = ((_function(each["function"]), f"{each['service']}:{each['operation']}") for each in entries)
        return Counter(row for row in rows if row[0] not in ("APIHandler", "Tell", "Sweep"))

    def transitions(self, deployment_id: str) -> int:
        """State transitions of a deployment's execution."""
        client = self.aws.client("stepfunctions")
        machines = client.list_state_machines()["stateMachines"]
        machine = next(each["stateMachineArn"] for each in machines if each["name"] == "proxyctl-rollout")
        arn = f"{machine.replace(':stateMachine:', ':execution:')}:{deployment_id}"
        pages = client.get_paginator("get_execution_history").paginate(executionArn=arn)
        return sum(event["type"].endswith("StateEntered") for page in pages for event in page["events"])


def _function(physical_name: str) -> str:
    """`Preflight` of `proxyctl-Preflight-84F1B0`."""
    return physical_name.split("-")[1]


@contextmanager
def running(switches: strict.Strict) -> Iterator[Bench]:
    """A cloud in a folder of its own; what runs in it ends with the block."""
    environment.ensure(ROOT, environment.EMULATOR)
    (ROOT / ".local").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f"bench-{os.getpid()}-", dir=ROOT / ".local") as folder:
        site = cloud.Site.of(ROOT, Path(folder))
        calls_file = Path(folder) / "calls.jsonl"
        os.environ[emulator.CALLS_FILE], os.environ[emulator.EVERY_CALL] = str(calls_file), "1"
        try:
            yield _installed(cloud.start(site, switches=switches)[0], calls_file)
        finally:
            cloud.stop(site.folder)


def _installed(running: Cloud, calls_file: Path) -> Bench:
    os.environ["NO_PROXY"] = "127.0.0.1"  # what the SDKs read; loopback only
    aws = target.embedded(emulator.session(running.region, running.operator), running.endpoint)
    outputs = deploy.up(ROOT, aws, running.faults_url)
    url = deploy.api_url(aws, outputs)
    return Bench(running, aws, Client(url, aws.session, aws.region), calls_file)
