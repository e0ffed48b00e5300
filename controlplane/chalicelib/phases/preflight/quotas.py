"""Whether the account's quotas suffice: Lambda's concurrency, API Gateway's throttle and time limit."""

from __future__ import annotations

from collections.abc import Iterator

from chalicelib.domain.aws.functions import ConcurrencyLimits
from chalicelib.domain.aws.gateway import GatewayAccount
from chalicelib.domain.config import TIME_LIMITS_S, Throttle
from chalicelib.domain.evidence.preflight import Finding
from chalicelib.domain.options import Load
from chalicelib.load import fit

# Lambda keeps so many executions unreserved:
# https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html
_KEPT_UNRESERVED = 100
_BUFFERED_LIMIT_S = TIME_LIMITS_S["buffered"]


def concurrency(limits: ConcurrencyLimits, load: Load, reserve: int | None) -> Iterator[Finding]:
    """Whether Lambda's concurrency suffices for the load test and for what the proxy reserves.

    The default load is scaled down to what there is, which is a warning; a load that someone chose is refused.
    reserve: executions that the function would reserve in addition to what it has; None for no reservation.
    """
    fitted = fit.fitted(load, limits.unreserved)
    needed = fit.needed(fitted)
    if scaled := fit.described(load, fitted, limits.unreserved):
        yield Finding(
            "quotas",
            scaled,
            "Nothing to do; for the whole load request more (Service Quotas, Lambda, Concurrent executions).",
            blocks=False,
            field="options.load",
        )
    if needed > limits.unreserved:
        yield Finding(
            "quotas",
            f"the load test needs about {needed} concurrent executions; {limits.unreserved} of {limits.total} are"
            " unreserved",
            "Lower options.load, or request more (Service Quotas, Lambda, Concurrent executions).",
            field="options.load.rps",
        )
    if reserve is not None and limits.unreserved - reserve < _KEPT_UNRESERVED:
        yield Finding(
            "quotas",
            f"config.reserved_concurrency {reserve} would leave {limits.unreserved - reserve} of {limits.total}"
            f" unreserved; Lambda keeps {_KEPT_UNRESERVED}",
            "Lower it, or request more (Service Quotas, Lambda, Concurrent executions).",
            field="config.reserved_concurrency",
        )


def throttle(account: GatewayAccount, throttle: Throttle) -> Iterator[Finding]:
    """Whether the stage's throttle is within the account's, which acts first."""
    if throttle.rate_per_s > account.rate_per_s or throttle.burst > account.burst:
        yield Finding(
            "api_gateway",
            f"config.throttle ({throttle.rate_per_s:g}/s, burst {throttle.burst}) is above the account's own"
            f" ({account.rate_per_s:g}/s, burst {account.burst}), which acts first",
            "Lower it, or request more (Service Quotas, API Gateway).",
            blocks=False,
            field="config.throttle",
        )


def time_limit(mode: str, timeout_s: int) -> Iterator[Finding]:
    """Whether API Gateway waits as long as the function may take, and the function as long as an answer may.

    mode: `stream` or `buffered`. A limit of 29 s was the default of every environment before streams got 15 minutes.
    """
    if mode == "buffered" and timeout_s > _BUFFERED_LIMIT_S:
        yield Finding(
            "api_gateway",
            f"config.timeout_s is {timeout_s}; API Gateway ends buffered requests after {_BUFFERED_LIMIT_S} s",
            "Stream (config.response_mode stream), or lower it.",
            blocks=False,
            field="config.timeout_s",
        )
    if mode == "stream" and timeout_s <= _BUFFERED_LIMIT_S:
        yield Finding(
            "api_gateway",
            f"config.timeout_s is {timeout_s}, so every answer ends after that, although this environment streams",
            f"Set config.timeout_s to null, which takes {TIME_LIMITS_S['stream']} s.",
            blocks=False,
            field="config.timeout_s",
        )
