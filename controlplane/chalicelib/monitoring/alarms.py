"""The alarms of an environment: what is watched, where, and from which figure on it fires.

They watch users only: metrics of the alias `live`, of the public methods, and of the proxy's namespace, into which a
candidate under test does not write. Otherwise the deliberate failures of validate_errors would roll a release back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from chalicelib.domain.aws.alarms import Alarm, Metric
from chalicelib.domain.config import AlarmThresholds
from chalicelib.domain.names import METRIC_NAMESPACE, Names

# Shares and percentiles of a handful of requests are noise: below this many a minute, those alarms stay quiet.
MIN_REQUESTS = 10
_FEW, _SOME = (1, 1), (3, 2)  # (periods, of which so many must be over): at once, or two minutes of three


def _guarded(figure: str) -> str:
    return f"IF(requests >= {MIN_REQUESTS}, {figure}, 0)"


def definitions(names: Names, thresholds: AlarmThresholds, *, stage: str, topic_arn: str) -> Sequence[Alarm]:
    """All alarms of the environment. Thresholds are shares in [0, 1], milliseconds or counts a minute."""
    function = {"FunctionName": names.function, "Resource": f"{names.function}:live"}
    api = {"ApiName": names.api, "Stage": stage, "Resource": "/{proxy+}", "Method": "ANY"}
    own = {"environment": names.environment}

    def lamb(metric: str, statistic: str = "Sum") -> Metric:
        return Metric("AWS/Lambda", metric, function, statistic)

    def gate(metric: str, statistic: str = "Sum") -> Metric:
        return Metric("AWS/ApiGateway", metric, api, statistic)

    def alarm(
        what: str,
        why: str,
        metrics: Mapping[str, Metric],
        threshold: float,
        expression: str = "",
        window: tuple[int, int] = _SOME,
    ) -> Alarm:
        periods, datapoints = window
        return Alarm(
            name=names.alarm(what),
            description=f"{why} (environment {names.environment})",
            metrics=metrics,
            threshold=threshold,
            expression=expression,
            periods=periods,
            datapoints=datapoints,
            actions=(topic_arn,),
        )

    return (
        alarm(
            "errors",
            "Share of requests that the proxy answered with a 5xx",
            # The proxy writes 0 or 1 for each request, so that the average is the share.
            {"figure": Metric(METRIC_NAMESPACE, "Errors", own, "Average")},
            thresholds.error_rate,
        ),
        alarm(
            "function-errors",
            "Share of invocations that crashed or timed out",
            {"requests": lamb("Invocations"), "errors": lamb("Errors")},
            thresholds.error_rate,
            _guarded("errors / requests"),
        ),
        alarm(
            "duration",
            "99th percentile of the function's run time, in milliseconds",
            {"requests": lamb("Invocations"), "duration": lamb("Duration", "p99")},
            thresholds.duration_p99_ms,
            _guarded("duration"),
        ),
        alarm(
            "throttles",
            "Invocations that Lambda refused for want of concurrency, a minute",
            {"throttles": lamb("Throttles")},
            thresholds.throttles,
            "FILL(throttles, 0)",
        ),
        alarm(
            "concurrency",
            "Executions of the function at one time",
            {"running": lamb("ConcurrentExecutions", "Maximum")},
            thresholds.concurrency,
            "FILL(running, 0)",
        ),
        alarm(
            "client-errors",
            "Share of requests that API Gateway answered with a 4xx",
            {"requests": gate("Count"), "errors": gate("4XXError")},
            thresholds.client_error_rate,
            _guarded("errors / requests"),
        ),
        alarm(
            "server-errors",
            "Share of requests that API Gateway answered with a 5xx",
            {"requests": gate("Count"), "errors": gate("5XXError")},
            thresholds.server_error_rate,
            _guarded("errors / requests"),
        ),
        alarm(
            "latency",
            "99th percentile of API Gateway's latency, in milliseconds",
            {"requests": gate("Count"), "latency": gate("Latency", "p99")},
            thresholds.latency_p99_ms,
            _guarded("latency"),
        ),
        alarm(
            "secret-failures",
            "Times that the proxy could not read or understand its secret, a minute",
            {"figure": Metric(METRIC_NAMESPACE, "SecretFailures", own, "Sum")},
            thresholds.secret_failures,
            window=_FEW,
        ),
    )
