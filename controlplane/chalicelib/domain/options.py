"""The options of one deployment, as a POST takes them: load, SLOs, bake and limits of this run only.

Ranges are AWS's own limits unless a comment says otherwise. `codec.decode` builds these and names the field at fault.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from .errors import BadRequest, within
from .times import TIME_LIMIT_H

# Seconds at each step and after the last one, in an account, unless options.bake says otherwise.
BAKE_STEP_S, BAKE_WATCH_S = 60, 300
# The state machine ends after 180,000 s, of which a day is for an approval and two hours are for all other phases.
_MOST_BAKE_S = 86_400
_REASON = 1_000  # characters; it stands in every list of deployments


@dataclass(frozen=True, slots=True)
class Slo:
    """Bounds that the load test must meet. None means not judged.

    slowdown: by which share (0.2 is 20 %) the median may be slower than that of the last good run.
    """

    p99_ms: float | None = 2_000
    error_rate: float = 0.01
    rps: float | None = None
    cold_start_ms: float | None = 5_000
    slowdown: float | None = None

    def __post_init__(self) -> None:
        within("options.slo.p99_ms", self.p99_ms, 1, 900_000)
        within("options.slo.error_rate", self.error_rate, 0, 1)
        within("options.slo.rps", self.rps, 0.1, 100_000)
        within("options.slo.cold_start_ms", self.cold_start_ms, 1, 900_000)
        within("options.slo.slowdown", self.slowdown, 0.001, 100)


@dataclass(frozen=True, slots=True)
class Load:
    """How the load test drives the candidate: an open model, `rps` new requests a second whatever the answers do.

    arrivals: how they are spread; ramp and step rise to `rps`, trace gives seconds since the start instead.
    workers: Lambdas that share the load; one is the phase's own. cold_starts: fresh environments to force.
    upstream: `real` asks for chat completions; `none` asks for /health, which goes all the way but the last, for free.
    """

    rps: float = 30
    duration_s: float = 4
    workers: int = 1
    cold_starts: int = 2
    arrivals: Literal["constant", "ramp", "step", "poisson", "trace"] = "constant"
    trace: tuple[float, ...] = ()
    stream: bool = False
    upstream: Literal["real", "none"] = "real"
    timeout_s: float = 30

    def __post_init__(self) -> None:
        within("options.load.timeout_s", self.timeout_s, 0.1, 900)
        within("options.load.trace", len(self.trace), 0, 10_000)
        if (self.arrivals == "trace") != bool(self.trace):
            raise BadRequest(
                "options.load.trace and arrivals: trace go together",
                field="options.load.trace",
                remedy="Give the recorded seconds in options.load.trace and set options.load.arrivals to trace.",
            )
        within("options.load.rps", self.rps, 0.1, 100_000)
        within("options.load.duration_s", self.duration_s, 1, 3_600)
        within("options.load.workers", self.workers, 1, 1_000)
        within("options.load.cold_starts", self.cold_starts, 0, 100)


@dataclass(frozen=True, slots=True)
class Bake:
    """How traffic moves to the candidate, and how long alarms are watched afterwards.

    strategy: `steps` takes `steps` (percent) as they are; `all_at_once` is [100]; `canary` is [percent, 100]; `linear`
    rises by `percent`. step_s and watch_s: seconds at each step and after the last; None takes a minute and five in an
    account, and seconds in the embedded cloud, where a demo is watched.
    """

    strategy: Literal["steps", "all_at_once", "linear", "canary"] = "steps"
    steps: tuple[int, ...] = (10, 50, 100)
    percent: int = 10
    step_s: int | None = None
    watch_s: int | None = None

    def __post_init__(self) -> None:
        within("options.bake.percent", self.percent, 1, 99)
        within("options.bake.step_s", self.step_s, 0, 86_400)
        within("options.bake.watch_s", self.watch_s, 0, 86_400)
        total_s = self.longest_s
        if total_s > _MOST_BAKE_S:
            raise BadRequest(
                f"options.bake takes {total_s} s; steps and the watch after them may take {_MOST_BAKE_S} s together",
                field="options.bake",
                remedy="Lower step_s or watch_s, or take fewer steps.",
            )
        rising = list(self.steps) == sorted(set(self.steps))
        if not self.steps or self.steps[-1] != 100 or self.steps[0] < 1 or not rising:
            raise BadRequest(
                f"options.bake.steps is {list(self.steps)}; it must rise and end with 100",
                field="options.bake.steps",
                remedy="For example [10, 50, 100], or [100] for all at once.",
            )

    @property
    def longest_s(self) -> int:
        """Seconds of all steps and of the watch after them, as in an account."""
        counts = {"all_at_once": 1, "canary": 2, "linear": -(-100 // max(self.percent, 1))}
        count = counts.get(self.strategy, len(self.steps))
        step_s = BAKE_STEP_S if self.step_s is None else self.step_s
        return count * step_s + (BAKE_WATCH_S if self.watch_s is None else self.watch_s)


@dataclass(frozen=True, slots=True)
class Options:
    """This run only.

    max_cost_usd: what phase 9 may cost, estimated before anything is sent; usd_per_million_tokens: the upstream's
    price. ttl_hours: the environment is cleaned up so many hours after this deploy has ended, with its remove_secret;
    0 takes an earlier limit away, None leaves it to config.ttl_hours, or as it is.
    heal: a revalidation puts drift back where that is safe. drill_of, sabotage: the control plane's own, for drills.
    tune_memory: sizes (MB) to measure the release with, for a recommendation; nothing is changed by it.
    """

    force: bool = False
    reason: str = ""
    allow_replacement: bool = False
    remove_secret: bool = False
    secret_recovery_days: int = 7
    rollback_to: str | None = None
    expected_plan: str | None = None
    if_busy: Literal["reject", "wait"] = "reject"
    approval: Literal["none", "required"] = "none"
    load: Load = field(default_factory=Load)
    max_cost_usd: float = 1.0
    usd_per_million_tokens: float = 10.0
    tune_memory: tuple[int, ...] = ()
    slo: Slo = field(default_factory=Slo)
    bake: Bake = field(default_factory=Bake)
    heal: bool = False
    ttl_hours: float | None = None
    drill_of: str | None = None
    sabotage: Literal["answers_500"] | None = None

    def __post_init__(self) -> None:
        if len(self.reason) > _REASON:
            raise BadRequest(
                f"options.reason has {len(self.reason)} characters; it may have {_REASON}",
                field="options.reason",
                remedy="Say it shorter, or link to where it is said.",
            )
        within("options.ttl_hours", self.ttl_hours, 0, TIME_LIMIT_H)
        within("options.max_cost_usd", self.max_cost_usd, 0, 100_000)
        within("options.usd_per_million_tokens", self.usd_per_million_tokens, 0, 10_000)
        for size in self.tune_memory:
            within("options.tune_memory", size, 128, 10_240)
        within("options.secret_recovery_days", self.secret_recovery_days, 0, 30)
        if self.secret_recovery_days and self.secret_recovery_days < 7:
            raise BadRequest(
                "options.secret_recovery_days takes 0 (at once) or 7 to 30",
                field="options.secret_recovery_days",
                remedy="Secrets Manager has no shorter window than 7 days.",
            )
