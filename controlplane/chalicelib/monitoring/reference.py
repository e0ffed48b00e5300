"""Alarms and metrics as a page of the docs: `docs/reference/alarms.md` is what this module prints."""

from __future__ import annotations

from collections.abc import Mapping

from chalicelib.domain.aws.alarms import Metric
from chalicelib.domain.config import AlarmThresholds
from chalicelib.domain.names import METRIC_NAMESPACE, Names

from .alarms import definitions

_HEAD = """# Alarms and metrics

`python -m installer.dev.reference` prints this page from `monitoring/alarms.py`; a test compares them.

## Alarms

`configure_monitoring` makes them for each environment, sets each off once and waits for its notification. They watch
users' traffic only. One that fires during `shift_traffic` or `bake` rolls back. `config.alarms` sets the thresholds.

| alarm | measures | metric | fires at | after |
|---|---|---|---|---|
"""
_METRICS = f"""
## Metrics of the proxy

Namespace `{METRIC_NAMESPACE}`; those of requests to a candidate are in `{METRIC_NAMESPACE}/candidate`. Every metric has
the dimension `environment`; those of a request also come with `model` and with `client` (the client key's id). They are
members of the log line of each request (EMF), so that a log line and its metrics cannot disagree.

| metric | unit | |
|---|---|---|
"""
# By name, as proxy/log_line.py and proxy/telemetry.py write them: (unit, meaning). A test compares.
METRICS: Mapping[str, tuple[str, str]] = {
    "Requests": ("Count", "Requests; their average is 1, their sum the number."),
    "Errors": ("Count", "1 for a request that was answered with a 5xx or broke off, else 0: the average is the share."),
    "Overhead": ("Milliseconds", "What the proxy itself took of a request."),
    "FirstByteOverhead": ("Milliseconds", "What the proxy itself took of the time to the first byte."),
    "UpstreamLatency": ("Milliseconds", "What the provider took, all attempts together."),
    "TimeToFirstByte": ("Milliseconds", "From the request to the first byte of its answer."),
    "TokensIn": ("Count", "Tokens of the request, as the provider counts them."),
    "TokensOut": ("Count", "Tokens of the answer, as the provider counts them."),
    "ColdStart": ("Count", "The first request of a process."),
    "InitDuration": ("Milliseconds", "From the start of a process until it was ready."),
    "SecretFailures": ("Count", "Times that the secret could not be read or understood."),
}


def markdown() -> str:
    """The page."""
    alarms = definitions(Names("env"), AlarmThresholds(), stage="v1", topic_arn="topic")
    rows = [
        f"| `{alarm.name}` | {alarm.description.removesuffix(' (environment env)')} "
        f"| {', '.join(map(_figure, alarm.metrics.values()))} "
        f"| {alarm.threshold:g} | {alarm.datapoints} of {alarm.periods} minutes |\n"
        for alarm in alarms
    ]
    metrics = [f"| `{name}` | {unit} | {text} |\n" for name, (unit, text) in METRICS.items()]
    return _HEAD + "".join(rows) + _METRICS + "".join(metrics)


def _figure(metric: Metric) -> str:
    return f"`{metric.namespace} {metric.name}` ({metric.statistic})"


if __name__ == "__main__":
    import sys

    sys.stdout.write(markdown())
