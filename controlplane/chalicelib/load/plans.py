"""What the workers of a load test are told to do. Apart from `worker`, which needs what few Lambdas carry."""

from __future__ import annotations

import base64
import dataclasses
import json
from dataclasses import dataclass, field
from typing import Any

from .arrivals import Arrivals


@dataclass(frozen=True, slots=True)
class Limits:
    """timeout_s: for one answer; connections: at most so many open; give_up_s: unsent so long after due is dropped."""

    timeout_s: float = 30.0
    connections: int = 1_000
    give_up_s: float = 5.0


@dataclass(frozen=True, slots=True)
class Plan:
    """What one worker does. start_at: seconds since the epoch, in the future, so that all workers begin together.

    window: the stretch of the arrivals (seconds from their start) that is driven now; the shard counts from there.
    """

    url: str
    method: str
    body: bytes
    arrivals: Arrivals
    start_at: float
    signed: bool
    window: tuple[float, float]
    stream: bool = False
    worker: int = 0
    workers: int = 1
    seed: int = 0
    limits: Limits = field(default_factory=Limits)


def prefix(deployment_id: str) -> str:
    """Where a load test keeps everything."""
    return f"load/{deployment_id}/"


def key(deployment_id: str) -> str:
    """Where the plan of a deployment lies."""
    return f"{prefix(deployment_id)}plan.json"


def dump(plan: Plan, part: int, where: str) -> bytes:
    """The plan of a slice, for all workers."""
    told = dataclasses.asdict(plan) | {"body": base64.b64encode(plan.body).decode()}
    return json.dumps({"plan": told, "part": part, "prefix": where}).encode()


def load(text: bytes, worker: int) -> tuple[Plan, int, str]:
    """What `dump` wrote, as it is for one worker: the plan, the number of the slice, the prefix of its shards."""
    told: dict[str, Any] = json.loads(text)
    given = told["plan"]
    made = {
        **given,
        "body": base64.b64decode(given["body"]),
        "arrivals": Arrivals(**given["arrivals"]),
        "limits": Limits(**given["limits"]),
        "window": tuple(given["window"]),
        "worker": worker,
    }
    return Plan(**made), int(told["part"]), str(told["prefix"])
