"""Times one deployment after the other, as a client that polls sees them, and takes the records apart."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bench.rollouts.cloud import Bench, Calls

LIMIT_S = 600.0
_LEDGER_S = 10.0


@dataclass(frozen=True)
class Run:
    """One deployment.

    seconds: from before the POST until the client knows that it has ended. phases: seconds by phase or step, from its
    first call to its end, in the order in which they began. calls: of AWS APIs, by Lambda and operation. transitions:
    of the execution's history; derived: the ledger's number of them; usd: what the ledger says that it cost.
    """

    deployment_id: str
    status: str
    seconds: float
    phases: Mapping[str, float]
    calls: Calls
    transitions: int
    error: str = ""
    derived: int = 0
    usd: float = 0.0


Body = Mapping[str, Any]
Start = Callable[[], str]


def run(bench: Bench, start: Start) -> Run:
    """Start a deployment and follow it to its end. start: POSTs and answers the deployment's id."""
    position, began = bench.position(), time.monotonic()
    deployment_id = start()
    deployment = list(bench.client.follow(deployment_id, LIMIT_S))[-1]
    seconds = time.monotonic() - began
    calls = bench.calls_since(position)
    return Run(
        deployment_id,
        str(deployment["status"]),
        seconds,
        dict(_phases(deployment)),
        calls,
        bench.transitions(deployment_id),
        str((deployment.get("error") or {}).get("message", "")),
        *_ledger(bench, deployment_id),
    )


def _ledger(bench: Bench, deployment_id: str) -> tuple[int, float]:
    """State transitions and USD, when the step that ends the deployment has recorded its own units."""
    deadline = time.monotonic() + _LEDGER_S
    cost = bench.client.deployment(deployment_id)["cost"]
    while "record_outcome" not in cost["by_phase"] and time.monotonic() < deadline:
        time.sleep(0.2)
        cost = bench.client.deployment(deployment_id)["cost"]
    states = sum(each["amount"] for each in cost["lines"] if each["unit"] == "state transitions")
    return round(states), float(cost.get("usd") or 0.0)


def post(bench: Bench, environment: str, action: str = "deploy", **body: Any) -> Start:
    """POST /deployments."""

    def start() -> str:
        document = {"environment": environment, "action": action, "create": True, **body}
        return str(bench.client.start(document, uuid.uuid4().hex)["id"])

    return start


def put_secret(bench: Bench, environment: str, secret: Mapping[str, Any]) -> Start:
    """PUT /environments/{name}/secret, which rolls the new version."""
    return lambda: str(bench.client.put_secret(environment, secret, {"wait": "true"}).get("deployment"))


def _phases(deployment: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    rows = [*deployment.get("phases", []), *deployment.get("steps", [])]
    timed = [row for row in rows if row.get("started_at") and row.get("ended_at")]
    for row in sorted(timed, key=lambda row: str(row["started_at"])):
        began, ended = (datetime.fromisoformat(str(row[at])) for at in ("started_at", "ended_at"))
        yield str(row["name"]), (ended - began).total_seconds()
