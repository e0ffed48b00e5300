"""The configuration of an environment, as a POST takes it. Defaults are a careful engineer's.

Ranges are AWS's own limits unless a comment says otherwise. `codec.decode` builds these and names the field at fault.
`described/` makes the published schemas and the reference from the fields, their defaults and `RANGES`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from . import webhook_url
from .aws import address, tags, targets
from .aws.address import Domain, Waf
from .aws.targets import Target
from .errors import BadRequest, Ranges, all_within, shown
from .times import TIME_LIMIT_H

ENVIRONMENT_NAME = re.compile(r"[a-z](?:[a-z0-9-]{0,18}[a-z0-9])?")
SECRET_ARN = re.compile(r"arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:[A-Za-z0-9/_+=.@-]{1,519}")
# What SNS's standard topics deliver to: no FIFO queue; a function, or one of its aliases or versions.
SUBSCRIBER = re.compile(
    r"arn:aws[a-z-]*:sqs:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]{1,80}"
    r"|arn:aws[a-z-]*:lambda:[a-z0-9-]+:[0-9]{12}:function:[A-Za-z0-9_-]{1,64}(:[A-Za-z0-9$_-]{1,128})?"
    r"|https://[^\s/@]+(/\S*)?"
    # An e-mail address as SNS takes it: ASCII, at most 64 characters before the @ and 253 after it (RFC 5321).
    r"|[!-?A-~]{1,64}@(?=.{1,253}$)([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]([A-Za-z0-9-]{0,61}[A-Za-z0-9])"
)

# The configuration is part of each of an environment's 13 releases on record, in one item of at most 400 KB.
MOST_RECIPIENTS, MOST_OF_THEM = 50, 4_096  # entries of config.notify, and their characters in all

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


# Seconds that an answer may take in all: API Gateway streams for 15 minutes without a quota increase, as long as Lambda
# runs, and ends what it buffers after 29 s.
# https://docs.aws.amazon.com/apigateway/latest/developerguide/response-transfer-mode.html
TIME_LIMITS_S = {"stream": 900, "buffered": 29}


@dataclass(frozen=True, slots=True)
class Throttle:
    """API Gateway's stage throttle: steady requests per second, and the bucket above it."""

    RANGES: ClassVar[Ranges] = {"rate_per_s": (1, 10_000), "burst": (1, 5_000)}

    rate_per_s: float = 50
    burst: int = 100

    def __post_init__(self) -> None:
        all_within("config.throttle", self, self.RANGES)


@dataclass(frozen=True, slots=True)
class AlarmThresholds:
    """When each alarm fires, per minute of data. Rates are shares of all requests in [0, 1]; times are milliseconds.

    Times are the proxy's own, of whole answers (`overhead_p99_ms`) and until their first byte (`first_byte_p99_ms`):
    how long a model thinks and speaks is no fault of a release, so nothing judges how long answers take in all.
    concurrency: None, because a stream of ten minutes a second is 600 executions at one time, and nothing is wrong.

    gateway_dimensions: what the alarms on API Gateway watch. `stage` is the users' stage as a whole. `method` is its
    public method only, under `Method: ANY`, which AWS does not document; these metrics cost as custom metrics do.
    """

    RANGES: ClassVar[Ranges] = {
        **dict.fromkeys(("error_rate", "server_error_rate", "client_error_rate"), (0, 1)),
        **dict.fromkeys(("overhead_p99_ms", "first_byte_p99_ms"), (1, 900_000)),
        **dict.fromkeys(("throttles", "concurrency", "secret_failures"), (1, 1_000_000)),
    }

    error_rate: float = 0.01
    server_error_rate: float = 0.01
    client_error_rate: float = 0.25
    overhead_p99_ms: float = 2_000
    first_byte_p99_ms: float = 1_000
    throttles: int = 10
    concurrency: int | None = None
    secret_failures: int = 1
    gateway_dimensions: Literal["method", "stage"] = "stage"

    def __post_init__(self) -> None:
        all_within("config.alarms", self, self.RANGES)


@dataclass(frozen=True, slots=True)
class Webhook:
    """Another receiver of every state change. The signing key is in Secrets Manager, under proxyctl/<env>/webhook."""

    url: str

    def __post_init__(self) -> None:
        if refusal := webhook_url.refusal(self.url):
            must, remedy = refusal
            raise BadRequest(f"config.webhook.url {must}", field="config.webhook.url", remedy=remedy)


@dataclass(frozen=True, slots=True)
class Compatibility:
    """Switches for behaviour of AWS that its documentation leaves open; docs/fidelity.md says which row needs which.

    request_id_header: `x-request-id` on API Gateway's own answers, mapped from `context.requestId`.
    stream_content_type: what the proxy calls a stream with prelude; `octet-stream` where API Gateway refuses AWS's own.
    """

    request_id_header: bool = False
    stream_content_type: Literal["integration", "octet-stream"] = "integration"


def _refuse_too_many(notify: tuple[str, ...]) -> None:
    characters = sum(map(len, notify))
    if len(notify) > MOST_RECIPIENTS or characters > MOST_OF_THEM:
        raise BadRequest(
            f"config.notify has {len(notify)} entries of {characters} characters in all; it may have "
            f"{MOST_RECIPIENTS} of {MOST_OF_THEM}",
            field="config.notify",
            remedy="Name one list, queue or function that passes the notifications on.",
        )


def _refused_tags(target: Target) -> tuple[str, str] | None:
    problem = tags.refusal(target.tags)
    return ("tags", problem) if problem else None


@dataclass(frozen=True, slots=True)
class Config:
    """The environment as it should be. Stored with every release, so that a rollback restores it too.

    timeout_s: of an answer; None takes the longest that the response mode allows (`time_limit_s`).
    heal_at_night: whether a night restores what `options.heal` does, but for a live alias that someone has moved.
    ttl_hours: how long after each deploy it lives; see Options. target: the account and region where the environment
    is; None for the control plane's own. domain, waf: what users call, and what filters it; None for neither.
    """

    RANGES: ClassVar[Ranges] = {
        "memory_mb": (128, 10_240),
        "timeout_s": (3, 900),
        "secret_max_age_days": (1, 3_650),
        "secret_ttl_s": (1, 86_400),
        "reserved_concurrency": (1, 100_000),
        "keep_versions": (1, 50),
        "ttl_hours": (0, TIME_LIMIT_H),
    }

    memory_mb: int = 512
    timeout_s: int | None = None
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
    heal_at_night: bool = True
    ttl_hours: float | None = None
    target: Target | None = None
    domain: Domain | None = None
    waf: Waf | None = None
    compatibility: Compatibility = field(default_factory=Compatibility)

    def __post_init__(self) -> None:
        all_within("config", self, self.RANGES)
        if self.target and (refused := targets.refusal(self.target) or _refused_tags(self.target)):
            field = f"config.target.{refused[0]}"
            raise BadRequest(f"{field} {refused[1]}", field=field, remedy=targets.REMEDY)
        for name, problem, remedy in address.refusals(self.domain, self.waf):
            raise BadRequest(f"config.{name} {problem}", field=f"config.{name}", remedy=remedy)
        if self.log_retention_days not in RETENTION_DAYS:
            days = shown(self.log_retention_days)
            raise BadRequest(
                f"config.log_retention_days is {days}; CloudWatch Logs takes {RETENTION_DAYS}",
                field="config.log_retention_days",
                remedy="Choose one of the listed numbers of days.",
            )
        if self.secret_arn is not None and not SECRET_ARN.fullmatch(self.secret_arn):
            raise BadRequest(
                "config.secret_arn is not the ARN of one secret",
                field="config.secret_arn",
                remedy="Take it from: aws secretsmanager describe-secret --secret-id NAME --query ARN",
            )
        _refuse_too_many(self.notify)
        for whom in self.notify:
            if not SUBSCRIBER.fullmatch(whom):
                raise BadRequest(
                    f"config.notify has {whom!r}, which is none of e-mail address, https URL, SQS or Lambda ARN",
                    field="config.notify",
                    remedy="Correct or remove the entry.",
                )
            refused = webhook_url.refusal_of_recipient(whom) if whom.startswith("https://") else None
            if refused:
                raise BadRequest(f"{whom} in config.notify {refused[0]}", field="config.notify", remedy=refused[1])

    def time_limit_s(self, response_mode: str) -> int:
        """Seconds that the function may take for an answer. response_mode: the one in force, `stream` or `buffered`."""
        return TIME_LIMITS_S[response_mode] if self.timeout_s is None else self.timeout_s
