"""The configuration that a POST takes: `config` describes the environment, `options` this run only.

Ranges are AWS's own limits unless a comment says otherwise. `codec.decode` builds these and names the field at fault.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit

from .errors import BadRequest

ENVIRONMENT_NAME = re.compile(r"[a-z](?:[a-z0-9-]{0,18}[a-z0-9])?")
_SECRET_ARN = re.compile(r"arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:[A-Za-z0-9/_+=.@-]+")
_SUBSCRIBER = re.compile(
    r"arn:aws[a-z-]*:(sqs|lambda):[a-z0-9-]+:[0-9]{12}:\S+|https://[^\s/@]+(/\S*)?|[^\s@]+@[^\s@]+\.[^\s@]+"
)

# CloudWatch Logs accepts these days and no others.
RETENTION_DAYS = (
    1,
    3,
    5,
    7,
    14,
    30,
    60,
    90,
    120,
    150,
    180,
    365,
    400,
    545,
    731,
    1096,
    1827,
    2192,
    2557,
    2922,
    3288,
    3653,
)


_MOST_HOURS = 24 * 366
# Seconds at each step and after the last one, in an account, unless options.bake says otherwise.
BAKE_STEP_S, BAKE_WATCH_S = 60, 300
# The state machine ends after 180,000 s, of which a day is for an approval and two hours are for all other phases.
_MOST_BAKE_S = 86_400
_REASON = 1_000  # characters; it stands in every list of deployments


def within(name: str, value: float | None, low: float, high: float) -> None:
    """Refuse a number outside [low, high], naming the field."""
    if value is not None and not low <= value <= high:
        raise BadRequest(
            f"{name} is {value}; it must be from {low} to {high}",
            field=name,
            remedy=f"Set {name} within the range.",
        )


@dataclass(frozen=True, slots=True)
class Throttle:
    """API Gateway's stage throttle: steady requests per second, and the bucket above it."""

    rate_per_s: float = 50
    burst: int = 100

    def __post_init__(self) -> None:
        within("config.throttle.rate_per_s", self.rate_per_s, 1, 10_000)
        within("config.throttle.burst", self.burst, 1, 5_000)


@dataclass(frozen=True, slots=True)
class AlarmThresholds:
    """When each alarm fires, per minute of data. Rates are shares of all requests in [0, 1]; times are milliseconds."""

    error_rate: float = 0.01
    server_error_rate: float = 0.01
    client_error_rate: float = 0.25
    duration_p99_ms: float = 20_000
    latency_p99_ms: float = 25_000
    throttles: int = 10
    concurrency: int = 500
    secret_failures: int = 1

    def __post_init__(self) -> None:
        for name in ("error_rate", "server_error_rate", "client_error_rate"):
            within(f"config.alarms.{name}", getattr(self, name), 0, 1)
        for name in ("duration_p99_ms", "latency_p99_ms"):
            within(f"config.alarms.{name}", getattr(self, name), 1, 900_000)
        for name in ("throttles", "concurrency", "secret_failures"):
            within(f"config.alarms.{name}", getattr(self, name), 1, 1_000_000)


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where every state change is sent, too. The signing key is in Secrets Manager, under proxyctl/<env>/webhook."""

    url: str

    def __post_init__(self) -> None:
        try:
            parts = urlsplit(self.url)
            host, _port = parts.hostname or "", parts.port
        except ValueError:
            raise _not_a_webhook("is not a URL", "Correct it.") from None
        if not host or "@" in parts.netloc or not self.url.isprintable() or " " in self.url:
            raise _not_a_webhook("must be https://host[:port]/path", "Leave user names and blanks out.")
        # Plain HTTP only to this very machine, as in the embedded cloud: elsewhere the signature could be replayed.
        if parts.scheme != "https" and (parts.scheme, host) != ("http", "127.0.0.1"):
            raise _not_a_webhook("must begin with https://", "Give the receiver a certificate.")


def _not_a_webhook(must: str, remedy: str) -> BadRequest:
    return BadRequest(f"config.webhook.url {must}", field="config.webhook.url", remedy=remedy)


@dataclass(frozen=True, slots=True)
class Compatibility:
    """Switches for behaviour of AWS that its documentation leaves open; docs/fidelity.md says which row needs which.

    request_id_header: `x-request-id` on API Gateway's own answers, mapped from `context.requestId`.
    stream_content_type: what the proxy calls a stream with prelude; `octet-stream` where API Gateway refuses AWS's own.
    """

    request_id_header: bool = False
    stream_content_type: Literal["integration", "octet-stream"] = "integration"


@dataclass(frozen=True, slots=True)
class Config:
    """The environment as it should be. Stored with every release, so that a rollback restores it too.

    ttl_hours: how long after each deploy it lives; see Options.
    """

    memory_mb: int = 512
    timeout_s: int = 29
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_retention_days: int = 14
    throttle: Throttle = field(default_factory=Throttle)
    alarms: AlarmThresholds = field(default_factory=AlarmThresholds)
    notify: tuple[str, ...] = ()
    webhook: Webhook | None = None
    response_mode: Literal["stream", "buffered"] | None = None
    secret_arn: str | None = None
    secret_max_age_days: int = 90
    secret_ttl_s: int = 300
    reserved_concurrency: int | None = None
    keep_versions: int = 3
    protected: bool = False
    ttl_hours: float | None = None
    compatibility: Compatibility = field(default_factory=Compatibility)

    def __post_init__(self) -> None:
        within("config.memory_mb", self.memory_mb, 128, 10_240)
        within("config.timeout_s", self.timeout_s, 3, 900)
        within("config.secret_max_age_days", self.secret_max_age_days, 1, 3_650)
        within("config.secret_ttl_s", self.secret_ttl_s, 1, 86_400)
        within("config.reserved_concurrency", self.reserved_concurrency, 1, 100_000)
        within("config.keep_versions", self.keep_versions, 1, 50)
        within("config.ttl_hours", self.ttl_hours, 0, _MOST_HOURS)
        if self.log_retention_days not in RETENTION_DAYS:
            raise BadRequest(
                f"config.log_retention_days is {self.log_retention_days}; CloudWatch Logs takes {RETENTION_DAYS}",
                field="config.log_retention_days",
                remedy="Choose one of the listed numbers of days.",
            )
        if self.secret_arn is not None and not _SECRET_ARN.fullmatch(self.secret_arn):
            raise BadRequest(
                "config.secret_arn is not the ARN of one secret",
                field="config.secret_arn",
                remedy="Take it from: aws secretsmanager describe-secret --secret-id NAME --query ARN",
            )
        for whom in self.notify:
            if not _SUBSCRIBER.fullmatch(whom):
                raise BadRequest(
                    f"config.notify has {whom!r}, which is none of e-mail address, https URL, SQS or Lambda ARN",
                    field="config.notify",
                    remedy="Correct or remove the entry.",
                )


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
        within("options.ttl_hours", self.ttl_hours, 0, _MOST_HOURS)
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
