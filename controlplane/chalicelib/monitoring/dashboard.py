"""The CloudWatch dashboard of all environments, and an environment's saved Logs Insights queries and metric filters.

Everything here is data. The dashboard has a variable: whoever looks at it chooses the environment, and CloudWatch
replaces a word in the body by its name.

The dashboard's JSON: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence

from chalicelib.domain.aws.logs import MetricFilter, SavedQuery
from chalicelib.domain.names import METRIC_NAMESPACE, Names

# A row of a graph: namespace, metric, dimension names and values, options; or one object with an expression.
Row = list[object]

_WIDTH, _HEIGHT, _COLUMNS = 8, 6, 3  # of a graph, on the dashboard's grid of 24 columns
_PERIOD_S = 60
# The word that CloudWatch replaces; a valid name of an environment, so that all names can be made from it.
_CHOSEN = Names("the-environment")
_COST = re.compile(r"FILL\(in\d+, 0\) \* (?P<price_in>[\d.e+-]+) \+ FILL\(out\d+, 0\) \* (?P<price_out>[\d.e+-]+)")
_COSTS = "Cost a minute, by model (USD)"

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
    """The saved queries, in one folder of the console for each environment."""
    return [SavedQuery(f"{names.queries}{title}", (names.log_group,), text) for title, text in QUERIES.items()]


def filters(names: Names) -> list[MetricFilter]:
    """Metric filters for failures that end the proxy's process, so that it cannot count them itself."""
    return [
        MetricFilter(names.alarm(what), names.log_group, pattern, metric, f"{METRIC_NAMESPACE}/log/{names.environment}")
        for what, metric, pattern in (
            ("timeouts", "Timeouts", '"Task timed out after"'),
            ("crashes", "Crashes", '?"Runtime exited" ?"Runtime.ExitError"'),
        )
    ]


def body(*, region: str, stage: str, alarm_arns: Sequence[str], prices: Mapping[str, tuple[float, float]]) -> str:
    """The dashboard as JSON. stage: API Gateway's. prices: USD for a million tokens (in, out) by model.

    alarm_arns: from `chosen`.
    """
    graphs = [*_traffic(_CHOSEN, stage), *_models(_CHOSEN, prices), _capacity(_CHOSEN)]
    widgets = [_graph(index, title, rows, region) for index, (title, rows) in enumerate(graphs)]
    below = _HEIGHT * (len(graphs) // _COLUMNS)
    alarms = {"title": "Alarms", "alarms": list(alarm_arns)}
    widgets.append({"type": "alarm", "x": 0, "y": below, "width": 24, "height": 3, "properties": alarms})
    return json.dumps({"variables": [_variable()], "widgets": widgets}, sort_keys=True)


def chosen(names: Names, arn: str) -> str:
    """The ARN of an environment's alarm as the dashboard names it: of whichever environment is chosen."""
    return arn.replace(names.alarm(""), _CHOSEN.alarm(""))


def differs(existing: str, wanted: str) -> bool:
    """Whether two bodies show other things. Which alarms exist is left out: it differs by when a body was written."""
    return _without_alarms(existing) != _without_alarms(wanted)


def _without_alarms(body: str) -> object:
    try:
        document = json.loads(body)
        kinds = [widget for widget in document["widgets"] if widget["type"] != "alarm"]
    except (ValueError, KeyError, TypeError):
        return body  # someone wrote another document
    return {**document, "widgets": kinds}


def prices_of(written: str | None) -> dict[str, tuple[float, float]]:
    """The prices by model in a dashboard's JSON: those of all environments that have written it. {} for none."""
    try:
        widgets = json.loads(written or "{}").get("widgets", [])
    except ValueError:
        return {}
    graphs = [widget["properties"] for widget in widgets if widget.get("properties", {}).get("title") == _COSTS]
    lines = [row[0] for graph in graphs for row in graph["metrics"] if isinstance(row[0], dict)]
    match = {str(line["label"]): _COST.search(str(line["expression"])) for line in lines}
    return {model: (float(cost["price_in"]), float(cost["price_out"])) for model, cost in match.items() if cost}


def _variable() -> dict[str, object]:
    return {
        "type": "pattern",
        "pattern": _CHOSEN.environment,
        "inputType": "select",
        "id": "environment",
        "label": "Environment",
        "visible": True,
        "search": f'{{{METRIC_NAMESPACE},environment}} MetricName="Errors"',
        "populateFrom": "environment",
        "defaultValue": "__FIRST",
    }


def _traffic(names: Names, stage: str) -> list[tuple[str, list[Row]]]:
    api = ["ApiName", names.api, "Stage", stage, "Resource", "/{proxy+}", "Method", "ANY"]
    filtered = f"{METRIC_NAMESPACE}/log/{names.environment}"
    errors: list[Row] = [
        ["AWS/ApiGateway", "4XXError", *api, {"stat": "Sum"}],
        ["AWS/ApiGateway", "5XXError", *api, {"stat": "Sum"}],
        ["AWS/Lambda", "Errors", *_live(names), {"stat": "Sum"}],
        [METRIC_NAMESPACE, "SecretFailures", *_proxy(names), {"stat": "Sum"}],
        [filtered, "Timeouts", {"stat": "Sum"}],
        [filtered, "Crashes", {"stat": "Sum"}],
    ]
    return [
        ("Requests", [["AWS/ApiGateway", "Count", *api, {"stat": "Sum"}]]),
        ("Errors", errors),
        ("Latency at API Gateway (ms)", _percentiles("AWS/ApiGateway", "Latency", api)),
        ("Overhead of the proxy (ms)", _percentiles(METRIC_NAMESPACE, "Overhead", _proxy(names))),
        ("Latency of the upstream (ms)", _percentiles(METRIC_NAMESPACE, "UpstreamLatency", _proxy(names))),
        ("Time to first byte (ms)", _percentiles(METRIC_NAMESPACE, "TimeToFirstByte", _proxy(names))),
    ]


def _models(names: Names, prices: Mapping[str, tuple[float, float]]) -> list[tuple[str, list[Row]]]:
    return [
        ("Tokens a minute, by model", [_by_model(names, "TokensIn"), _by_model(names, "TokensOut")]),
        (_COSTS, _costs(names, prices)),
    ]


def _capacity(names: Names) -> tuple[str, list[Row]]:
    return (
        "Executions and throttles",
        [
            ["AWS/Lambda", "ConcurrentExecutions", *_live(names), {"stat": "Maximum"}],
            ["AWS/Lambda", "Throttles", *_live(names), {"stat": "Sum"}],
            [METRIC_NAMESPACE, "ColdStart", *_proxy(names), {"stat": "Sum"}],
        ],
    )


def _live(names: Names) -> list[str]:
    return ["FunctionName", names.function, "Resource", f"{names.function}:live"]


def _proxy(names: Names) -> list[str]:
    return ["environment", names.environment]


def _percentiles(namespace: str, metric: str, dimensions: Sequence[str]) -> list[Row]:
    return [[namespace, metric, *dimensions, {"stat": stat, "label": stat}] for stat in ("p50", "p95", "p99")]


def _by_model(names: Names, metric: str) -> Row:
    search = (
        f'SEARCH(\'{{{METRIC_NAMESPACE},environment,model}} MetricName="{metric}" '
        f"environment=\"{names.environment}\"', 'Sum', {_PERIOD_S})"
    )
    return [{"expression": search, "label": f"{metric} ${{PROP('Dim.model')}}", "id": metric.lower()}]


def _costs(names: Names, prices: Mapping[str, tuple[float, float]]) -> list[Row]:
    """One line for each model that has a price, computed from its two token metrics."""
    rows: list[Row] = []
    for index, (model, (price_in, price_out)) in enumerate(sorted(prices.items())):
        of_model = ["environment", names.environment, "model", model]
        hidden = {"stat": "Sum", "visible": False}
        rows.append([METRIC_NAMESPACE, "TokensIn", *of_model, {**hidden, "id": f"in{index}"}])
        rows.append([METRIC_NAMESPACE, "TokensOut", *of_model, {**hidden, "id": f"out{index}"}])
        cost = f"(FILL(in{index}, 0) * {price_in:g} + FILL(out{index}, 0) * {price_out:g}) / 1000000"
        rows.append([{"expression": cost, "label": model, "id": f"cost{index}"}])
    return rows


def _graph(index: int, title: str, rows: list[Row], region: str) -> dict[str, object]:
    return {
        "type": "metric",
        "x": _WIDTH * (index % _COLUMNS),
        "y": _HEIGHT * (index // _COLUMNS),
        "width": _WIDTH,
        "height": _HEIGHT,
        "properties": {"title": title, "view": "timeSeries", "region": region, "period": _PERIOD_S, "metrics": rows},
    }
