"""`python -m bench costs`: what an environment and the control plane cost a month while nobody uses them.

The arithmetic and the prices are the product's own (`chalicelib/costs`); what costs at rest is read from the templates,
in which every kind of resource must be known here. What a rollout costs is measured by `python -m bench rollouts`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from chalicelib.costs import at_rest, requests
from chalicelib.costs.at_rest import ControlPlaneStack, EnvironmentStack
from chalicelib.costs.bill import Line, merged, text, total
from chalicelib.costs.prices import AS_OF, HOURS, NIGHTS, PriceList, prices_of
from chalicelib.domain.config import Config

from bench.figures import Bound, Report
from judges.documents import Sources, read

ENVIRONMENT_USD, CONTROL_PLANE_USD = 1.50, 0.05
PRICES = prices_of("us-east-1")
# What exists costs nothing by itself; what it stores or serves is counted with the nights. A domain's certificate, its
# alias records (queries of which are free) and the association of a web ACL cost nothing either: the ACL is the
# customer's.
_FREE_AT_REST = frozenset(
    {
        "AWS::ApiGateway::BasePathMapping",
        "AWS::ApiGateway::Deployment",
        "AWS::ApiGateway::DomainName",
        "AWS::ApiGateway::GatewayResponse",
        "AWS::ApiGateway::Method",
        "AWS::ApiGateway::Resource",
        "AWS::ApiGateway::RestApi",
        "AWS::IAM::ManagedPolicy",
        "AWS::IAM::Policy",
        "AWS::IAM::Role",
        "AWS::Lambda::Alias",
        "AWS::Lambda::Function",
        "AWS::Lambda::Permission",
        "AWS::Lambda::Version",
        "AWS::Route53::RecordSet",
        "AWS::WAFv2::WebACLAssociation",
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


def environment_stack(sources: Sources) -> EnvironmentStack:
    """What of an environment's template costs. Raises KeyError for a resource whose price nobody has looked up."""
    groups = stages = 0
    for kind, properties in _resources(sources.proxy):
        if kind == "AWS::Logs::LogGroup":
            groups += 1
        elif kind == "AWS::ApiGateway::Stage":
            stages += "'MetricsEnabled': False" not in properties
        elif kind not in _FREE_AT_REST:
            raise KeyError(f"{kind}: what does it cost at rest?")
    return EnvironmentStack(groups, stages)


def control_plane_stack(sources: Sources) -> ControlPlaneStack:
    """The same of the control plane's template."""
    tables = groups = queues = 0
    sweeps = nights = 0.0
    for kind, properties in _resources(sources.resources):
        every = re.search(r"rate\((\d+) minutes?\)", properties)
        if kind == "AWS::DynamoDB::Table":
            tables += 1
        elif kind == "AWS::Logs::LogGroup":
            groups += 1
        elif kind == "AWS::Scheduler::Schedule" and every:
            sweeps += HOURS * 60 / int(every[1])
        elif kind == "AWS::Scheduler::Schedule":
            nights += NIGHTS
        elif kind == "AWS::Lambda::EventSourceMapping":
            queues += "WebhookRetries" in properties  # a stream of DynamoDB's is read for nothing by Lambda
        elif kind not in _FREE_BESIDE:
            raise KeyError(f"{kind}: what does it cost at rest?")
    return ControlPlaneStack(tables, groups, sweeps, nights, queues)


def _resources(template: Mapping[str, object]) -> Sequence[tuple[str, str]]:
    resources = template["Resources"]
    assert isinstance(resources, Mapping)
    return [(str(each["Type"]), str(each.get("Properties", {}))) for each in resources.values()]


def environment(sources: Sources, config: Config | None = None, prices: PriceList = PRICES) -> list[Line]:
    """An environment at rest, by its template."""
    return at_rest.environment(environment_stack(sources), config or Config(), prices)


def control_plane(sources: Sources, prices: PriceList = PRICES) -> list[Line]:
    """The control plane without a rollout, by its template."""
    return at_rest.control_plane(control_plane_stack(sources), prices)


def report(title: str, lines: Sequence[Line], limit: float) -> Report:
    """The bill, equal lines added up, with its bound."""
    return Report(title, text(merged(lines)), [Bound("together, a month", total(lines), high=limit, unit="USD")])


def _beside_fargate() -> Report:
    both = requests.compare(Config(), None, PRICES)
    lines = [
        f"API Gateway and Lambda: ${both.serverless.per_million_usd:.2f} a million of {both.request_ms:.0f} ms each",
        *text(both.serverless.per_million),
        f"Fargate and a load balancer: ${both.fargate.monthly_usd:.2f} a month and ${both.fargate.per_million_usd:.2f} "
        f"a million; cheaper from {both.equal_at or 0:,} requests a month",
        *text(both.fargate.monthly + both.fargate.per_million),
    ]
    return Report("a million requests, beside Fargate", lines)


def main(_: list[str]) -> int:
    """0 when both stay within their bounds."""
    sources = read()
    title = f"an environment at rest ({AS_OF:%Y-%m}, {PRICES.region})"
    reports = (
        report(title, environment(sources), ENVIRONMENT_USD),
        report("the control plane at rest", control_plane(sources), CONTROL_PLANE_USD),
        _beside_fargate(),
    )
    for each in reports:
        each.print()
    return 0 if all(bound.holds for each in reports for bound in each.bounds) else 1
