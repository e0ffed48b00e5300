"""The options of one run, as a POST takes them in `options`. `config.py` describes the environment.

Ranges are AWS's own limits unless a comment says otherwise. `codec.decode` builds these and names the field at fault.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from math import ceil
from typing import ClassVar, Literal

from .errors import BadRequest, Ranges, all_within, not_longer, within
from .times import TIME_LIMIT_H

# Seconds at each step and after the last one, in an account, unless options.bake says otherwise.
BAKE_STEP_S, BAKE_WATCH_S = 60, 300
# The state machine ends after 180,000 s, of which a day is for an approval and two hours are for all other phases.
_MOST_BAKE_S = 86_400
SECRET_VERSION = re.compile(r"[A-Za-z0-9-]{1,64}")
PLAN_DIGEST = re.compile(r"[!-~]{1,64}")
FUNCTION_VERSION = re.compile(r"[1-9][0-9]{0,9}")
MOST_SIZES = 20  # what power tuning compares; each takes seconds and costs calls
LONGEST_REASON = 1_000  # characters; it stands in every list of deployments
MOST_TRACED = 10_000  # requests in options.load.trace
MEMORY_MB = (128, 10_240)  # what Lambda takes
_P99_SAMPLES = 100  # one can then be expected above the quantile
COMPARISON_SAMPLES = 200  # of a median against a record's; fewer cannot tell 20 % from noise


@dataclass(frozen=True, slots=True)
class Relative:
    """How much worse than the baseline the candidate may be, as shares: 0.2 is 20 %. None means not judged.

    errors: beyond this many times live's error rate, 0 for "not more often"; cold_start, cost: against the last good
    run's record, since the live version is neither restarted nor billed for the test. overhead_least_ms: the overhead
    is a few milliseconds, so that 20 % of it are nothing: a smaller difference than this one does not count.
    """

    RANGES: ClassVar[Ranges] = {
        "errors": (0, 100),
        **dict.fromkeys(("overhead", "first_byte", "total", "cold_start", "cost"), (0.001, 100)),
        "overhead_least_ms": (0, 60_000),
    }

    errors: float | None = 0.0
    overhead: float | None = 0.2
    overhead_least_ms: float = 5.0
    first_byte: float | None = 0.2
    total: float | None = 0.2
    cold_start: float | None = None
    cost: float | None = None

    def __post_init__(self) -> None:
        all_within("options.slo.relative", self, self.RANGES)


@dataclass(frozen=True, slots=True)
class Slo:
    """Bounds that the release must meet. None means not judged. Times leave out what the upstream took itself.

    p99_ms: of whole answers; a stream has first_byte_p99_ms instead, since how long a model speaks is no fault of the
    proxy. overhead_p99_ms: of the proxy's own work. usd_per_million: of a million requests, without tokens.
    relative: bounds against the baseline (`options.load.baseline`). slowdown: the earlier name of relative.total, and
    the bound against a record (`baseline: record`).
    """

    RANGES: ClassVar[Ranges] = {
        **dict.fromkeys(("p99_ms", "first_byte_p99_ms", "overhead_p99_ms", "cold_start_ms"), (1, 900_000)),
        "error_rate": (0, 1),
        "rps": (0.1, 100_000),
        "usd_per_million": (0.01, 1_000_000),
        "slowdown": (0.001, 100),
    }

    p99_ms: float | None = 2_000
    first_byte_p99_ms: float | None = 2_000
    overhead_p99_ms: float | None = None
    error_rate: float = 0.01
    rps: float | None = None
    cold_start_ms: float | None = 5_000
    usd_per_million: float | None = None
    slowdown: float | None = None
    relative: Relative = field(default_factory=Relative)

    def __post_init__(self) -> None:
        all_within("options.slo", self, self.RANGES)

    @property
    def total_slower(self) -> float | None:
        """The bound on how much slower than live whole answers may be."""
        return self.relative.total if self.slowdown is None else self.slowdown


@dataclass(frozen=True, slots=True)
class Load:
    """How the load test drives the candidate: an open model, `rps` new requests a second whatever the answers do.

    arrivals: how they are spread; ramp and step rise to `rps`, trace gives seconds since the start instead.
    workers: Lambdas that share the load; one is the phase's own. cold_starts: fresh environments to force.
    upstream: `real` asks for chat completions; `none` asks for /health, which goes all the way but the last, for free.
    baseline: what the candidate is compared with. `live` drives the live version in the same seconds, where there is
    one; `record` takes the last good version's stored run; `none` compares nothing.
    """

    RANGES: ClassVar[Ranges] = {
        "timeout_s": (0.1, 900),
        "rps": (0.1, 100_000),
        "duration_s": (1, 3_600),
        "workers": (1, 1_000),
        "cold_starts": (0, 100),
    }

    rps: float = 30
    duration_s: float = 4
    workers: int = 1
    cold_starts: int = 2
    arrivals: Literal["constant", "ramp", "step", "poisson", "trace"] = "constant"
    trace: tuple[float, ...] = ()
    stream: bool = False
    upstream: Literal["real", "none"] = "real"
    timeout_s: float = 30
    baseline: Literal["live", "record", "none"] = "live"

    def __post_init__(self) -> None:
        all_within("options.load", self, self.RANGES)
        within("options.load.trace", len(self.trace), 0, MOST_TRACED)
        if (self.arrivals == "trace") != bool(self.trace):
            raise BadRequest(
                "options.load.trace and arrivals: trace go together",
                field="options.load.trace",
                remedy="Give the recorded seconds in options.load.trace and set options.load.arrivals to trace.",
            )
        for at in self.trace:
            within("options.load.trace", at, 0, self.duration_s)


def requests_of(load: Load) -> int:
    """About how many requests the load sends to the candidate."""
    if load.arrivals == "trace":
        return sum(1 for at in load.trace if at < load.duration_s)
    return round(_rate(load) * load.duration_s)


def _rate(load: Load) -> float:
    """Mean requests a second. A ramp rises from nothing, four steps from a quarter."""
    return load.rps * {"ramp": 0.5, "step": 0.625}.get(load.arrivals, 1.0)


def refuse_too_small(load: Load, slo: Slo) -> None:
    """Raise BadRequest when the load sends too few requests for a bound to be judged, with a load that would do."""
    needed, bound = _needed(load, slo)
    requests = requests_of(load)
    if requests >= needed:
        return
    longer_s = ceil(round(needed / _rate(load), 6))
    if load.arrivals == "trace":
        remedy = f"Give a trace of at least {needed} requests within options.load.duration_s, or take {bound} away."
    else:
        remedy = f"Set options.load.duration_s to {longer_s} at this rate, or take {bound} away (null)."
    raise BadRequest(
        f"options.load sends about {requests} requests; {bound} needs {needed}", field="options.load", remedy=remedy
    )


def _needed(load: Load, slo: Slo) -> tuple[int, str]:
    """(requests, the bound that needs the most of them)."""
    is_stream = load.stream and load.upstream == "real"
    first = "first_byte_p99_ms" if is_stream else "p99_ms"
    needs = [(1, "options.slo.error_rate")]
    if slo.slowdown is not None and load.baseline == "record":
        needs.append((COMPARISON_SAMPLES, "options.slo.slowdown"))
    needs += [
        (_P99_SAMPLES, f"options.slo.{name}") for name in (first, "overhead_p99_ms") if getattr(slo, name) is not None
    ]
    return max(needs, key=lambda need: need[0])


@dataclass(frozen=True, slots=True)
class Bake:
    """How traffic moves to the candidate, and how long alarms are watched afterwards.

    strategy: `steps` takes `steps` (percent) as they are; `all_at_once` is [100]; `canary` is [percent, 100]; `linear`
    rises by `percent`. step_s and watch_s: seconds at each step and after the last; None takes a minute and five in an
    account, and seconds in the embedded cloud, where a demo is watched.
    """

    RANGES: ClassVar[Ranges] = {"percent": (1, 99), "step_s": (0, 86_400), "watch_s": (0, 86_400)}

    strategy: Literal["steps", "all_at_once", "linear", "canary"] = "steps"
    steps: tuple[int, ...] = (10, 50, 100)
    percent: int = 10
    step_s: int | None = None
    watch_s: int | None = None

    def __post_init__(self) -> None:
        all_within("options.bake", self, self.RANGES)
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
    """This run only. max_cost_usd: what phase 9 may cost, estimated before anything is sent; usd_per_million_tokens:
    the upstream's price. ttl_hours: the environment is cleaned up so many hours after this deploy has ended, with its
    remove_secret; 0 takes an earlier limit away, None leaves it to config.ttl_hours, or as it is.
    secret_version: the version of the secret that rotate or deploy rolls; it is refused when another version than
    secret_base is current by then. PUT and PATCH …/secret set both.
    heal: a revalidation puts drift back where that is safe. leave_alias: but no live alias that someone moved; nights
    set both (`config.heal_at_night`). drill_of, sabotage: the control plane's own, for drills.
    bundle: the release of the control plane that an upgrade rolls; with force also one older than what serves.
    tune_memory: sizes (MB) to measure the release with, for a recommendation; nothing is changed by it.
    """

    RANGES: ClassVar[Ranges] = {
        "ttl_hours": (0, TIME_LIMIT_H),
        "max_cost_usd": (0, 100_000),
        "usd_per_million_tokens": (0, 10_000),
        "secret_recovery_days": (0, 30),
    }

    force: bool = False
    reason: str = ""
    allow_replacement: bool = False
    remove_secret: bool = False
    secret_recovery_days: int = 7
    rollback_to: str | None = None
    secret_version: str | None = None
    secret_base: str | None = None
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
    leave_alias: bool = False
    ttl_hours: float | None = None
    drill_of: str | None = None
    sabotage: Literal["answers_500"] | None = None
    bundle: str | None = None

    def __post_init__(self) -> None:
        not_longer("options.reason", self.reason, LONGEST_REASON)
        if self.expected_plan is not None and not PLAN_DIGEST.fullmatch(self.expected_plan):
            # "" would be no expectation at all.
            text = f"options.expected_plan is {self.expected_plan[:40]!r}, which is no digest of a plan"
            raise BadRequest(text, field="options.expected_plan", remedy="Take the digest that action plan answers.")
        for name, version in (("secret_version", self.secret_version), ("secret_base", self.secret_base)):
            if version is not None and not SECRET_VERSION.fullmatch(version):
                raise BadRequest(
                    f"options.{name} is not the ID of a secret's version",
                    field=f"options.{name}",
                    remedy="GET /environments/{name}/secret/history lists them.",
                )
        if self.rollback_to is not None and not FUNCTION_VERSION.fullmatch(self.rollback_to):
            raise BadRequest(
                f"options.rollback_to is {self.rollback_to[:40]!r}, which is no number of a version",
                field="options.rollback_to",
                remedy="GET /environments/{name} lists the releases that passed.",
            )
        refuse_too_small(self.load, self.slo)
        all_within("options", self, self.RANGES)
        if len(self.tune_memory) > MOST_SIZES or len(set(self.tune_memory)) < len(self.tune_memory):
            raise BadRequest(
                f"options.tune_memory has {len(self.tune_memory)} sizes; it may have {MOST_SIZES}, each once",
                field="options.tune_memory",
                remedy="Name fewer sizes.",
            )
        for size in self.tune_memory:
            within("options.tune_memory", size, *MEMORY_MB)
        if self.secret_recovery_days and self.secret_recovery_days < 7:
            raise BadRequest(
                "options.secret_recovery_days takes 0 (at once) or 7 to 30",
                field="options.secret_recovery_days",
                remedy="Secrets Manager has no shorter window than 7 days.",
            )
