"""Powertools writes the line and the metrics; what becomes a dimension, and what a log level may not switch off."""

import contextlib
import io
import json
from typing import Any

import pytest
from aws_lambda_powertools.metrics.provider.cloudwatch_emf.cloudwatch import AmazonCloudWatchEMFProvider

from proxy.clock import Clock
from proxy.exchange import Exchange
from proxy.telemetry import MAX_MODELS, Telemetry

CLOCK = Clock(monotonic=lambda: 11.0, wall=lambda: 1_700_000_000.0)


def line_of(exchange: Exchange, telemetry: Telemetry | None = None) -> dict[str, Any]:
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        (telemetry or Telemetry("dev", "INFO", CLOCK)).request_ended(exchange)
    (line,) = out.getvalue().splitlines()
    result: dict[str, Any] = json.loads(line)
    return result


def exchange(**changes: Any) -> Exchange:
    result = Exchange("r1", 10.0, method="POST", path="/v1/x", status=200, upstream_status=200, attempts=1)
    for name, value in changes.items():
        setattr(result, name, value)
    return result


def test_the_metrics_are_what_powertools_own_api_would_have_written() -> None:
    line = line_of(exchange(model="gpt-4o", upstream_s=0.25, tokens_in=3, tokens_out=4))
    expected = AmazonCloudWatchEMFProvider(namespace="proxyctl")
    expected.add_dimension("environment", "dev")
    expected.add_dimensions(environment="dev", model="gpt-4o")
    for name, unit, value in (
        ("Requests", "Count", 1),
        ("Errors", "Count", 0),
        ("Overhead", "Milliseconds", 750),
        ("UpstreamLatency", "Milliseconds", 250),
        ("TokensIn", "Count", 3),
        ("TokensOut", "Count", 4),
        ("ColdStart", "Count", 1),
    ):
        expected.add_metric(name, unit, value)
    expected.timestamp = 1_700_000_000_000
    emf = json.loads(json.dumps(expected.serialize_metric_set()))
    assert {name: line[name] for name in emf} == emf


@pytest.mark.parametrize("level", ["WARNING", "ERROR", "CRITICAL"])
def test_a_log_level_switches_lines_off_but_never_metrics_nor_the_ids_of_the_request(level: str) -> None:
    line = line_of(exchange(gateway_id="gw-1"), Telemetry("dev", level, CLOCK))
    assert "message" not in line
    assert (line["request_id"], line["gateway_request_id"]) == (exchange().request_id, "gw-1")
    assert line["Requests"] == [1.0]


@pytest.mark.parametrize(("status", "error", "counted"), [(500, "", 1.0), (200, "idle_timeout", 1.0), (404, "", 0.0)])
def test_errors_are_the_upstreams_and_our_own_not_the_callers(status: int, error: str, counted: float) -> None:
    assert line_of(exchange(status=status, error=error))["Errors"] == [counted]


def test_names_that_callers_invent_do_not_become_dimensions() -> None:
    telemetry = Telemetry("dev", "INFO", CLOCK)
    assert line_of(exchange(model="invented", upstream_status=404), telemetry)["model"] == "other"
    assert line_of(exchange(model="invented", target="invented", upstream_status=0), telemetry)["model"] == "other"
    assert line_of(exchange(model="alias", target="gpt-4o", upstream_status=0), telemetry)["model"] == "alias"
    assert line_of(exchange(model="gpt-4o"), telemetry)["model"] == "gpt-4o"
    assert line_of(exchange(model="gpt-4o", upstream_status=429), telemetry)["model"] == "gpt-4o"


def test_the_number_of_models_as_a_dimension_is_limited() -> None:
    telemetry = Telemetry("dev", "INFO", CLOCK)
    for number in range(MAX_MODELS):
        line_of(exchange(model=f"m{number}"), telemetry)
    assert line_of(exchange(model="one-more"), telemetry)["model"] == "other"


@pytest.mark.parametrize(("client", "value"), [("a b", "a b"), ("Zoë", "Zo\\xeb")])
def test_the_id_of_a_caller_is_ascii_for_cloudwatch_would_drop_the_lines_metrics(client: str, value: str) -> None:
    assert line_of(exchange(client=client))["client"] == value


def test_a_line_says_nothing_that_is_not_known() -> None:
    line = line_of(exchange())
    assert "tokens_in" not in line
    assert "client" not in line
    assert line["duration_ms"] == 1000.0
