"""What the workers of a load test are to do. Apart from `worker`, which needs packages that few Lambdas carry."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace

from chalicelib.domain.aws.targets import Target
from chalicelib.domain.codec import decode, encode

from .arrivals import Arrivals


@dataclass(frozen=True, slots=True)
class Limits:
    """timeout_s: of an answer; connections: at most; give_up_s: seconds after due when an unsent request is dropped."""

    timeout_s: float = 30.0
    connections: int = 1_000
    give_up_s: float = 5.0


@dataclass(frozen=True, slots=True)
class Beside:
    """The live version, driven in the same seconds. url, signed: as in Plan; share: its requests for each of the
    candidate's, above 0."""

    url: str
    signed: bool
    share: float = 1.0


@dataclass(frozen=True, slots=True)
class Plan:
    """What one worker does. start_at: seconds since the epoch, in the future, so that all workers begin together.

    window: the part of the arrivals, in seconds from their start, that is driven now; the shard counts from its start.
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
    beside: Beside | None = None


@dataclass(frozen=True, slots=True)
class SlicePlan:
    """The plan of a slice for all workers. part: number of the slice; prefix: of the keys of its shards; target: where
    the environment is, whose API takes calls that are signed there."""

    plan: Plan
    part: int
    prefix: str
    target: Target | None = None


def prefix(deployment_id: str) -> str:
    """The prefix of all keys of a load test."""
    return f"load/{deployment_id}/"


def key(deployment_id: str) -> str:
    """The key of a deployment's plan."""
    return f"{prefix(deployment_id)}plan.json"


def shard_key(prefix: str, part: int, worker: int) -> str:
    """The key of a worker's shard of a slice."""
    return f"{prefix}shard-{part:04d}-{worker:04d}"


def live_key(prefix: str, part: int, worker: int) -> str:
    """The key of the live version's shard of a slice."""
    return f"{prefix}live-{part:04d}-{worker:04d}"


def dump(plan: Plan, part: int, prefix: str, target: Target | None = None) -> bytes:
    """The plan of a slice as JSON, for all workers."""
    return json.dumps(encode(SlicePlan(plan, part, prefix, target))).encode()


def load(text: bytes, worker: int) -> SlicePlan:
    """The plan that `dump` wrote, for one worker."""
    part = decode(SlicePlan, json.loads(text))
    return replace(part, plan=replace(part.plan, worker=worker))
