"""The alarms of an environment as a table: what each one measures and when it fires.

They measure users' traffic only: metrics of the alias `live`, of the public methods, and of the proxy's own namespace,
into which a candidate under test does not write. Otherwise the deliberate failures of validate_errors would set them
off, and the release would be rolled back.

None measures how long an answer takes in all: a stream lasts as long as the model speaks, up to 15 minutes. Times are
the proxy's own, without the upstream's and the caller's.

One metric an alarm wherever a statistic of CloudWatch's says it, since an alarm on metric math costs as much as the
alarms on each of its metrics: AWS/Lambda and AWS/ApiGateway count errors as 0 or 1 a request, so that the average is
the share. Source: CloudWatch pricing, "Metrics Insights and metric math alarms"; API Gateway's and Lambda's metrics.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from chalicelib.domain.aws.alarms import Alarm, AlarmState, Metric
from chalicelib.domain.config import AlarmThresholds
from chalicelib.domain.names import METRIC_NAMESPACE, Names

# A share of fewer requests a minute is noise where callers cause it: below this number that alarm does not fire.
# CloudWatch itself ignores percentiles of too few samples (adapters/alarms).
MIN_REQUESTS = 10
_METHODS: Mapping[str, Mapping[str, str]] = {"method": {"Resource": "/{proxy+}", "Method": "ANY"}, "stage": {}}
_LAMBDA, _GATEWAY, _PROXY = "AWS/Lambda", "AWS/ApiGateway", METRIC_NAMESPACE


@dataclass(frozen=True, slots=True)
class _Rule:
    """One alarm. It fires when `datapoints` of the last `periods` minutes reach the threshold.

    threshold: None for no alarm. metrics: (metric, statistic) by the id that `expression` uses. expression: metric
    math, "" for a single metric.
    """

    name: str
    description: str
    namespace: str
    metrics: Mapping[str, tuple[str, str]]
    threshold: Callable[[AlarmThresholds], float | None]
    expression: str = ""
    periods: int = 3
    datapoints: int = 2


def _with_enough_requests(expression: str) -> str:
    return f"IF(requests >= {MIN_REQUESTS}, {expression}, 0)"


_RULES = (
    _Rule(
        "errors",
        "Share of requests that the proxy answered with a 5xx",
        _PROXY,
        {"figure": ("Errors", "Average")},
        lambda limits: limits.error_rate,
    ),
    _Rule(
        "function-errors",
        "Share of invocations that crashed or timed out",
        _LAMBDA,
        {"figure": ("Errors", "Average")},
        lambda limits: limits.error_rate,
    ),
    _Rule(
        "overhead",
        "99th percentile of the proxy's own time for an answer, in milliseconds",
        _PROXY,
        {"figure": ("Overhead", "p99")},
        lambda limits: limits.overhead_p99_ms,
    ),
    _Rule(
        "first-byte",
        "99th percentile of the proxy's own time until the first byte of an answer, in milliseconds",
        _PROXY,
        {"figure": ("FirstByteOverhead", "p99")},
        lambda limits: limits.first_byte_p99_ms,
    ),
    _Rule(
        "throttles",
        "Invocations that Lambda refused for want of concurrency, a minute",
        _LAMBDA,
        {"figure": ("Throttles", "Sum")},
        lambda limits: limits.throttles,
    ),
    _Rule(
        "concurrency",
        "Executions of the function at one time",
        _LAMBDA,
        {"figure": ("ConcurrentExecutions", "Maximum")},
        lambda limits: limits.concurrency,
    ),
    _Rule(
        "client-errors",
        "Share of requests that API Gateway answered with a 4xx",
        _GATEWAY,
        # Two metrics: one caller with two bad requests would otherwise be a share of 100 %, and roll a release back.
        {"requests": ("Count", "Sum"), "errors": ("4XXError", "Sum")},
        lambda limits: limits.client_error_rate,
        _with_enough_requests("errors / requests"),
    ),
    _Rule(
        "server-errors",
        "Share of requests that API Gateway answered with a 5xx",
        _GATEWAY,
        {"figure": ("5XXError", "Average")},
        lambda limits: limits.server_error_rate,
    ),
    _Rule(
        "secret-failures",
        "Times that the proxy could not read or understand its secret, a minute",
        _PROXY,
        {"figure": ("SecretFailures", "Sum")},
        lambda limits: limits.secret_failures,
        periods=1,
        datapoints=1,
    ),
)


def definitions(names: Names, thresholds: AlarmThresholds, *, stage: str, topic_arn: str) -> Sequence[Alarm]:
    """All alarms of the environment; each notifies the topic.

    thresholds: shares in [0, 1], milliseconds, or counts a minute. stage: API Gateway's stage of the environment's API.
    """
    dimensions = {
        _LAMBDA: {"FunctionName": names.function, "Resource": f"{names.function}:live"},
        _GATEWAY: {"ApiName": names.api, "Stage": stage, **_METHODS[thresholds.gateway_dimensions]},
        _PROXY: {"environment": names.environment},
    }
    limits = [(rule, rule.threshold(thresholds)) for rule in _RULES]
    return tuple(
        _alarm(rule, names, limit, dimensions[rule.namespace], topic_arn) for rule, limit in limits if limit is not None
    )


def _alarm(rule: _Rule, names: Names, threshold: float, dimensions: Mapping[str, str], topic_arn: str) -> Alarm:
    return Alarm(
        name=names.alarm(rule.name),
        description=f"{rule.description} (environment {names.environment})",
        metrics={
            key: Metric(rule.namespace, metric, dimensions, statistic)
            for key, (metric, statistic) in rule.metrics.items()
        },
        threshold=threshold,
        expression=rule.expression,
        periods=rule.periods,
        datapoints=rule.datapoints,
        actions=(topic_arn,),
    )


def changed(wanted: Iterable[Alarm], existing: Iterable[AlarmState]) -> Sequence[Alarm]:
    """Those of `wanted` that do not exist as they are wanted."""
    defined = {state.name: state.definition for state in existing}
    return [alarm for alarm in wanted if defined.get(alarm.name) != _comparable(alarm, defined.get(alarm.name))]


def _comparable(wanted: Alarm, existing: Alarm | None) -> Alarm:
    """`wanted` without its metric math where the existing alarm has none: the embedded cloud does not return it."""
    if existing is None or existing.metrics:
        return wanted
    return replace(wanted, metrics=existing.metrics, expression=existing.expression)
