"""The environment's CloudWatch dashboard, its saved Logs Insights queries and its metric filters, as data."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from chalicelib.domain.aws.logs import MetricFilter, SavedQuery
from chalicelib.domain.names import METRIC_NAMESPACE, Names

_WIDTH, _HEIGHT, _COLUMNS = 8, 6, 3
_PERIOD_S = 60


QUERIES: Mapping[str, str] = {
    "slowest requests": (
        "fields @timestamp, request_id, model, status, duration_ms, upstream_ms, overhead_ms\n"
        '| filter message = "request"\n| sort duration_ms desc\n| limit 50'
    ),
    "errors by code": (
        'filter message = "request" and status >= 400\n| stats count(*) as requests by status, error, model\n'
        "| sort requests desc"
    ),
    "one request": (
        "fields @timestamp, @message\n| filter request_id = 'THE-ID' or gateway_request_id = 'THE-ID'\n"
        "| sort @timestamp asc"
    ),
    "tokens by model": (
        'filter message = "request"\n| stats sum(tokens_in) as tokens_in, sum(tokens_out) as tokens_out by model'
    ),
    "cold starts": (
        'filter @type = "REPORT" and ispresent(@initDuration)\n'
        "| stats count(*) as starts, pct(@initDuration, 50) as p50, max(@initDuration) as worst, "
        "max(@maxMemoryUsed / 1e6) as mb by bin(1h)"
    ),
}


def queries(names: Names) -> list[SavedQuery]:
    """Saved in one folder a environment."""
    return [SavedQuery(f"{names.queries}{title}", (names.log_group,), text) for title, text in QUERIES.items()]


def filters(names: Names) -> list[MetricFilter]:
    """What the proxy cannot count itself, because it is dead when it happens."""
    return [
        MetricFilter(names.alarm(what), names.log_group, pattern, metric, f"{METRIC_NAMESPACE}/log/{names.environment}")
        for what, metric, pattern in (
            ("timeouts", "Timeouts", '"Task timed out after"'),
            ("crashes", "Crashes", '?"Runtime exited" ?"Runtime.ExitError"'),
        )
    ]


def body(
    names: Names, *, region: str, stage: str, alarm_arns: Sequence[str], prices: Mapping[str, tuple[float, float]]
) -> str:
    """The dashboard as JSON. prices: USD for a million tokens in and out, by model."""
    function = ["FunctionName", names.function, "Resource", f"{names.function}:live"]
    api = ["ApiName", names.api, "Stage", stage, "Resource", "/{proxy+}", "Method", "ANY"]
    own = ["environment", names.environment]
    dead = f"{METRIC_NAMESPACE}/log/{names.environment}"
    graphs = [
        ("Requests", [["AWS/ApiGateway", "Count", *api, {"stat": "Sum"}]]),
        (
            "Errors",
            [
                ["AWS/ApiGateway", "4XXError", *api, {"stat": "Sum"}],
                ["AWS/ApiGateway", "5XXError", *api, {"stat": "Sum"}],
                ["AWS/Lambda", "Errors", *function, {"stat": "Sum"}],
                [METRIC_NAMESPACE, "SecretFailures", *own, {"stat": "Sum"}],
                [dead, "Timeouts", {"stat": "Sum"}],
                [dead, "Crashes", {"stat": "Sum"}],
            ],
        ),
        ("Latency at API Gateway (ms)", _percentiles("AWS/ApiGateway", "Latency", api)),
        ("Overhead of the proxy (ms)", _percentiles(METRIC_NAMESPACE, "Overhead", own)),
        ("Latency of the upstream (ms)", _percentiles(METRIC_NAMESPACE, "UpstreamLatency", own)),
        ("Time to first byte (ms)", _percentiles(METRIC_NAMESPACE, "TimeToFirstByte", own)),
        ("Tokens a minute, by model", [_by_model(names, "TokensIn"), _by_model(names, "TokensOut")]),
        ("Cost a minute, by model (USD)", _costs(names, prices)),
        (
            "Executions and throttles",
            [
                ["AWS/Lambda", "ConcurrentExecutions", *function, {"stat": "Maximum"}],
                ["AWS/Lambda", "Throttles", *function, {"stat": "Sum"}],
                [METRIC_NAMESPACE, "ColdStart", *own, {"stat": "Sum"}],
            ],
        ),
    ]
    widgets = [_graph(index, title, metrics, region) for index, (title, metrics) in enumerate(graphs)]
    below = _HEIGHT * (len(graphs) // _COLUMNS)
    alarms = {"title": "Alarms", "alarms": list(alarm_arns)}
    widgets.append({"type": "alarm", "x": 0, "y": below, "width": 24, "height": 3, "properties": alarms})
    return json.dumps({"widgets": widgets}, sort_keys=True)


def _percentiles(namespace: str, metric: str, dimensions: Sequence[str]) -> list[list[Any]]:
    return [[namespace, metric, *dimensions, {"stat": stat, "label": stat}] for stat in ("p50", "p95", "p99")]


def _by_model(names: Names, metric: str) -> list[Any]:
    search = (
        f'SEARCH(\'{{{METRIC_NAMESPACE},environment,model}} MetricName="{metric}" '
        f"environment=\"{names.environment}\"', 'Sum', {_PERIOD_S})"
    )
    return [{"expression": search, "label": f"{metric} ${{PROP('Dim.model')}}", "id": metric.lower()}]


def _costs(names: Names, prices: Mapping[str, tuple[float, float]]) -> list[list[Any]]:
    """One line a model whose price is known, from its own two metrics."""
    rows: list[list[Any]] = []
    for index, (model, (price_in, price_out)) in enumerate(sorted(prices.items())):
        of_model = ["environment", names.environment, "model", model]
        hidden = {"stat": "Sum", "visible": False}
        rows.append([METRIC_NAMESPACE, "TokensIn", *of_model, {**hidden, "id": f"in{index}"}])
        rows.append([METRIC_NAMESPACE, "TokensOut", *of_model, {**hidden, "id": f"out{index}"}])
        cost = f"(FILL(in{index}, 0) * {price_in:g} + FILL(out{index}, 0) * {price_out:g}) / 1000000"
        rows.append([{"expression": cost, "label": model, "id": f"cost{index}"}])
    return rows


def _graph(index: int, title: str, metrics: list[list[Any]], region: str) -> dict[str, Any]:
    return {
        "type": "metric",
        "x": _WIDTH * (index % _COLUMNS),
        "y": _HEIGHT * (index // _COLUMNS),
        "width": _WIDTH,
        "height": _HEIGHT,
        "properties": {"title": title, "view": "timeSeries", "region": region, "period": _PERIOD_S, "metrics": metrics},
    }
