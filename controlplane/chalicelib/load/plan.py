"""What one worker of a load test is told to do. Apart from `worker`, which needs what few Lambdas carry."""

from __future__ import annotations

from dataclasses import dataclass, field

from .arrivals import Arrivals


@dataclass(frozen=True, slots=True)
class Limits:
    """timeout_s: for one answer; connections: at most so many open; give_up_s: unsent so long after due is dropped."""

    timeout_s: float = 30.0
    connections: int = 1_000
    give_up_s: float = 5.0


@dataclass(frozen=True, slots=True)
class Plan:
    """What one worker does. start_at: seconds since the epoch, in the future, so that all workers begin together."""

    url: str
    method: str
    body: bytes
    arrivals: Arrivals
    start_at: float
    signed: bool
    stream: bool = False
    worker: int = 0
    workers: int = 1
    seed: int = 0
    limits: Limits = field(default_factory=Limits)
