"""The plan of a load on the release under test: what is asked, how often, and of which sides. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Protocol

from chalicelib.domain.options import Load
from chalicelib.load.arrivals import Arrivals
from chalicelib.load.plans import Beside, Limits, Plan
from chalicelib.load.request import chat
from chalicelib.load.shard import seed_of

CHAT, HEALTH = "/v1/chat/completions", "/health"


class Endpoint(Protocol):
    """What the plan needs of `target.Target`, which reads AWS: this module does not."""

    @property
    def url(self) -> str:
        """Without a path."""

    @property
    def signed(self) -> bool:
        """Whether requests need SigV4."""

    @property
    def variables(self) -> Mapping[str, object]:
        """Values that requests refer to, such as `chat_model`."""


def arrivals_of(load: Load) -> Arrivals:
    """When the candidate's requests are due."""
    return Arrivals(load.arrivals, load.rps, load.duration_s, trace=load.trace)


def plan_of(
    load: Load, target: Endpoint, live: Beside | None, window: tuple[float, float], start: datetime, seed: str
) -> Plan:
    """live: its URL without a path. window: seconds of the load that are driven. start: UTC, in the future."""
    is_chat = load.upstream == "real"
    path = CHAT if is_chat else HEALTH
    return Plan(
        url=target.url + path,
        method="POST" if is_chat else "GET",
        body=chat(str(target.variables["chat_model"]), stream=load.stream) if is_chat else b"",
        arrivals=arrivals_of(load),
        start_at=start.timestamp(),
        signed=target.signed,
        window=window,
        stream=load.stream and is_chat,
        workers=load.workers,
        seed=seed_of(seed),
        limits=Limits(timeout_s=load.timeout_s),
        beside=replace(live, url=live.url + path) if live else None,
    )


def split_of(load: Load, percent: int, seconds: float) -> tuple[Load, float]:
    """(the candidate's part of a load that is split as users' traffic is, live's requests for each of its own)."""
    rps = load.rps * percent / 100
    part = replace(load, rps=rps, duration_s=seconds, arrivals="constant", trace=(), workers=1)
    return part, round((100 - percent) / percent, 3)


def soon(now: datetime, seconds: float) -> datetime:
    """A start in the future, so that connections are open by then."""
    return now + timedelta(seconds=seconds)
