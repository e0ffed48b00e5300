"""`python -m bench costs`: what an environment and the control plane cost a month while nobody uses them.

Computed from the environment's own template (every resource in it must be known here), its alarms, its secret and its
nights, and from the control plane's own resources; prices in `bench/prices.py`. Tokens that the provider bills for the
checks of a night are not AWS's.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from chalicelib.domain.config import Config
from chalicelib.domain.names import Names
from chalicelib.monitoring.alarms import definitions

from bench import prices
from bench.figures import Bound, Report
from bench.prices import Item, Price
from judges.documents import Sources, read

ENVIRONMENT_USD, CONTROL_PLANE_USD = 1.50, 0.05


@dataclass(frozen=True)
class Night:
    """What one revalidation of one environment uses, counted in the embedded cloud and rounded up.

    transitions: of the rollout (three a poll) and of the night's Map. gb_s: 12 calls of the control plane's Lambdas of
    512 MB, the load engine's with 1 GB, and 110 requests to a proxy of 512 MB whose provider takes a second. requests:
    of the checks, and 40 of the load test. log_gb: a line a request, Lambda's own lines, access logs.
    """

    transitions: int = 60
    gb_s: float = 110.0
    lambda_calls: int = 130
    requests: int = 110
    write_units: int = 200
    read_units: int = 200
    cloudwatch_calls: int = 20
    log_gb: float = 0.0005
    secret_reads: int = 10
    s3_writes: int = 10

    def items(self, nights: float = prices.NIGHTS) -> Iterator[Item]:
        """A month of nights."""
        uses: Mapping[str, tuple[float, Price]] = {
            "workflow": (self.transitions, prices.TRANSITION),
            "Lambdas": (self.gb_s, prices.LAMBDA_GB_S),
            "calls of Lambdas": (self.lambda_calls, prices.LAMBDA_CALL),
            "requests through API Gateway": (self.requests, prices.GATEWAY_CALL),
            "records, written": (self.write_units, prices.WRITE_UNIT),
            "records, read": (self.read_units, prices.READ_UNIT),
            "alarms, read": (self.cloudwatch_calls, prices.CLOUDWATCH_CALL),
            "logs": (self.log_gb, prices.LOG_INGESTED),
            "secret, read": (self.secret_reads, prices.SECRET_CALL),
            "shards and lists": (self.s3_writes, prices.S3_PUT),
        }
        for what, (amount, price) in uses.items():
            yield Item(f"nights: {what}", amount * nights, price)


NIGHT = Night()
# What exists costs nothing by itself; what it stores or serves is counted with the nights.
_FREE_AT_REST = frozenset(
    {
        "AWS::ApiGateway::Deployment",
        "AWS::ApiGateway::GatewayResponse",
        "AWS::ApiGateway::Method",
        "AWS::ApiGateway::Resource",
        "AWS::ApiGateway::RestApi",
        "AWS::IAM::ManagedPolicy",
        "AWS::IAM::Role",
        "AWS::Lambda::Alias",
        "AWS::Lambda::Function",
        "AWS::Lambda::Permission",
        "AWS::Lambda::Version",
    }
)
# The same of the control plane: events and topics cost by the message, and queues by the call.
_FREE_BESIDE = _FREE_AT_REST | {
    "AWS::ApiGateway::Stage",
    "AWS::Events::Rule",
    "AWS::SNS::Topic",
    "AWS::SNS::TopicPolicy",
    "AWS::SQS::Queue",
    "AWS::Serverless::Api",
    "AWS::StepFunctions::StateMachine",
}
_METHODS, _METRICS_A_METHOD = 3, 5
_KEPT_NIGHTS = 14  # nights whose logs are kept, by the default retention
_ARTIFACTS_GB = 3 * 0.004  # three versions, with their lists of parts
_TABLE_GB, _BUNDLES_GB = 0.02, 0.12
# A sweep of an empty queue: one query; 256 MB for a fifth of a second.
_SWEEP_GB_S, _SWEEP_LOG_GB = 0.25 * 0.2, 0.0000006
# Lambda asks an empty queue with five long polls of 20 s at a time (Lambda developer guide, "Using Lambda with SQS").
_POLLS_A_MONTH = 5 * 3_600 / 20 * prices.HOURS


def environment(sources: Sources, config: Config | None = None) -> list[Item]:
    """An environment at rest. Raises KeyError for a resource of its template whose price nobody has looked up."""
    config = config or Config()
    items = [item for resource in _resources(sources.proxy) for item in _of_environment(resource)]
    names = Names("dev")
    alarms = definitions(names, config.alarms, stage="api", topic_arn="arn")
    items.append(
        Item("alarms, by the metrics that they read", sum(len(alarm.metrics) for alarm in alarms), prices.ALARM)
    )
    items.append(Item("the provider's key", 1, prices.SECRET))
    if config.webhook:
        items.append(Item("the webhook's signing key", 1, prices.SECRET))
    items.append(Item("artifacts", _ARTIFACTS_GB, prices.S3_STORED))
    return [*items, *NIGHT.items()]


def _of_environment(resource: Mapping[str, object]) -> Iterator[Item]:
    kind, properties = str(resource["Type"]), resource.get("Properties", {})
    if kind == "AWS::Logs::LogGroup":
        yield Item("logs of the last nights", NIGHT.log_gb * _KEPT_NIGHTS / 2, prices.LOG_STORED)
    elif kind == "AWS::ApiGateway::Stage":
        if "'MetricsEnabled': True" in str(properties):
            hours = prices.NIGHTS / prices.HOURS  # a metric costs in the hours in which it gets data
            yield Item("metrics by method", _METHODS * _METRICS_A_METHOD * hours, prices.CUSTOM_METRIC)
    elif kind not in _FREE_AT_REST:
        raise KeyError(f"{kind}: what does it cost at rest?")


def control_plane(sources: Sources) -> list[Item]:
    """The control plane without a rollout. Raises KeyError for a resource whose price nobody has looked up."""
    items = [item for resource in _resources(sources.resources) for item in _of_control_plane(resource)]
    items.append(Item("the dashboard of all environments", 1, prices.DASHBOARD))
    items.append(Item("bundles and zips", _BUNDLES_GB, prices.S3_STORED))
    return items


def _of_control_plane(resource: Mapping[str, object]) -> Iterator[Item]:
    kind, properties = str(resource["Type"]), resource.get("Properties", {})
    if kind == "AWS::DynamoDB::Table":
        yield Item("records", _TABLE_GB, prices.TABLE_STORED)
    elif kind == "AWS::Logs::LogGroup":
        yield Item("logs, kept", 0.001, prices.LOG_STORED)
    elif kind == "AWS::Scheduler::Schedule":
        yield from _scheduled(str(properties))
    elif kind == "AWS::Lambda::EventSourceMapping":
        if "WebhookRetries" in str(properties):
            yield Item("webhook retries: polls of an empty queue", _POLLS_A_MONTH, prices.QUEUE_CALL)
        # A stream of DynamoDB's is read for nothing by Lambda.
    elif kind not in _FREE_BESIDE:
        raise KeyError(f"{kind}: what does it cost at rest?")


def _scheduled(properties: str) -> Iterator[Item]:
    every = re.search(r"rate\((\d+) minutes?\)", properties)
    calls = prices.HOURS * 60 / int(every[1]) if every else prices.NIGHTS
    what = "sweeps" if every else "starts of the night"
    yield Item(f"{what}: calls by schedule", calls, prices.SCHEDULE)
    yield Item(f"{what}: Lambdas", calls * _SWEEP_GB_S, prices.LAMBDA_GB_S)
    yield Item(f"{what}: calls of Lambdas", calls, prices.LAMBDA_CALL)
    yield Item(f"{what}: records, read", calls, prices.READ_UNIT)
    yield Item(f"{what}: logs", calls * _SWEEP_LOG_GB, prices.LOG_INGESTED)


def _resources(template: Mapping[str, object]) -> Sequence[Mapping[str, object]]:
    resources = template["Resources"]
    assert isinstance(resources, Mapping)
    return list(resources.values())


def total(items: Sequence[Item]) -> float:
    """USD a month."""
    return sum(item.usd for item in items)


def report(title: str, items: Sequence[Item], limit: float) -> Report:
    """The bill, equal lines added up, with its bound."""
    amounts: Counter[tuple[str, Price]] = Counter()
    for item in items:
        amounts[(item.what, item.price)] += item.amount  # type: ignore[assignment]
    lines = [str(Item(what, amount, price)) for (what, price), amount in amounts.items()]
    return Report(title, lines, [Bound("together, a month", total(items), high=limit, unit="USD")])


def main(_: list[str]) -> int:
    """0 when both stay within their bounds."""
    sources = read()
    reports = (
        report(f"an environment at rest ({prices.DATE}, us-east-1)", environment(sources), ENVIRONMENT_USD),
        report("the control plane at rest", control_plane(sources), CONTROL_PLANE_USD),
    )
    for each in reports:
        each.print()
    return 0 if all(bound.holds for each in reports for bound in each.bounds) else 1
