"""Requests as the runner would make them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from chalicelib.domain.codec import encode
from chalicelib.domain.config import Config
from chalicelib.domain.model import Action, Environment, Lock, Release
from chalicelib.domain.options import Options
from chalicelib.engine.phase import OfPhase, Request, Result, Results

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
HELD = Lock("d-new", "arn:execution", NOW.timestamp() + 600)


def release(version: str, deployment_id: str = "d-old") -> Release:
    return Release(version, deployment_id, "2026-01-01T00:00:00.000+00:00", config={"memory_mb": 256})


def environment(**other: Any) -> Environment:
    given: dict[str, Any] = {"name": "dev", "status": "LIVE", "lock": HELD}
    return Environment(**given | other)


def request(*, after_s: float = 0, **other: Any) -> Request:
    """A deploy of `dev` by d-new, `after_s` seconds after the phase began."""
    given: dict[str, Any] = {
        "deployment_id": "d-new",
        "environment": environment(),
        "action": Action.DEPLOY,
        "config": Config(),
        "options": Options(),
        "now": NOW,
        "started_at": NOW - timedelta(seconds=after_s),
    }
    if not isinstance(other.get("results", Results()), Results):
        other["results"] = Results(other["results"])
    return Request(**given | other)


def results(*evidence: OfPhase) -> Results:
    """Results as if each phase had left this evidence."""
    return Results({item.PHASE: encode(item) for item in evidence})


def next_call(request: Request, result: Result[object], *, after_s: float = 0) -> Request:
    """The request of the next call after `result`, `after_s` seconds later, as the runner would make it."""
    return replace(
        request, cursor=encode(result.cursor), waits=result.waits, now=request.now + timedelta(seconds=after_s)
    )
