"""What is timed: one kind of deployment each, on environments that the scenarios before it have left behind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bench.rollouts.cloud import Bench
from bench.rollouts.measure import Start, post, put_secret

ENVIRONMENT = "dev"


@dataclass(frozen=True)
class Scenario:
    """limit_s: what the median must not exceed. start: of the repetition with this number, from 0."""

    name: str
    limit_s: float
    start: Callable[[Bench, int], Start]


def _first(bench: Bench, number: int) -> Start:
    """An environment of its own each time; its secret is stored beforehand."""
    name = f"first-{number}"
    bench.client.put_secret(name, bench.secret())
    return post(bench, name)


def _no_op(bench: Bench, _number: int) -> Start:
    return post(bench, ENVIRONMENT)


def _changed(key: str, values: tuple[Any, Any]) -> Callable[[Bench, int], Start]:
    def start(bench: Bench, number: int) -> Start:
        return post(bench, ENVIRONMENT, config={key: values[number % 2]})

    return start


def _rotate(bench: Bench, number: int) -> Start:
    timeouts = {**bench.secret()["timeouts"], "total_s": 26 + number % 2}
    return put_secret(bench, ENVIRONMENT, {**bench.secret(), "timeouts": timeouts})


def _roll_back(bench: Bench, _number: int) -> Start:
    """To the release before, and the next time back again."""
    return post(bench, ENVIRONMENT, "rollback")


def _revalidate(bench: Bench, _number: int) -> Start:
    return post(bench, ENVIRONMENT, "revalidate")


_RATES: tuple[Mapping[str, int], Mapping[str, int]] = (
    {"rate_per_s": 60, "burst": 120},
    {"rate_per_s": 50, "burst": 100},
)
# In this order: the first deploys first, since the others need nothing that they leave.
SCENARIOS = (
    Scenario("first deploy", 28.0, _first),
    Scenario("no-op", 3.5, _no_op),
    Scenario("function setting", 20.0, _changed("memory_mb", (384, 512))),
    Scenario("throttle only", 5.0, _changed("throttle", _RATES)),
    Scenario("retention only", 5.0, _changed("log_retention_days", (30, 14))),
    Scenario("rotate", 8.0, _rotate),
    Scenario("rollback", 3.0, _roll_back),
    Scenario("revalidation", 11.0, _revalidate),
)
