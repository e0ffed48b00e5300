"""The body of `/environments/{name}/costs`. See `api/responses`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from chalicelib.costs.bill import Line, Recorded
from chalicelib.costs.requests import Comparison


@dataclass(frozen=True, slots=True)
class Month:
    """A month at list price. nights: the deployment of the last night, which each is taken to repeat; "" for typical
    nights, null where there are none."""

    usd: float
    lines: tuple[Line, ...]
    nights: str | None = None


@dataclass(frozen=True, slots=True)
class Rollouts:
    """What deployments of the last `days` days cost together, at the prices of their time. usd: null where none is
    recorded. by_action: USD. unrecorded: those of an earlier version of the control plane, without a figure."""

    days: int
    count: int
    usd: float | None
    by_action: Mapping[str, float]
    unrecorded: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LastRollout:
    """The newest deployment of an environment. usd: null where it is not recorded."""

    deployment_id: str
    recorded: Recorded
    usd: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentCosts:
    """USD at list price. region: whose prices; prices_of: their month. at_rest: the environment with its nights.

    control_plane: shared by all environments. requests: a million of them, beside Fargate. remarks: what to know of the
    figures.
    """

    environment: str
    region: str
    prices_of: str
    remarks: tuple[str, ...]
    at_rest: Month
    control_plane: Month
    requests: Comparison
    rollouts: Rollouts
    last_rollout: LastRollout | None
