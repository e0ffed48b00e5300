"""A million requests, with API Gateway and Lambda and with Fargate behind a load balancer."""

from __future__ import annotations

import pytest
from chalicelib.costs import requests
from chalicelib.costs.bill import Basis
from chalicelib.costs.prices import prices_of
from chalicelib.domain.config import Config
from chalicelib.domain.evidence.load import LoadEvidence, Percentiles

US = prices_of("us-east-1")


def measured(**parts: float | None) -> LoadEvidence:
    return LoadEvidence(split_ms={name: Percentiles(p50=value) for name, value in parts.items()})


def test_a_million_requests_cost_gateway_lambda_and_logs() -> None:
    both = requests.compare(Config(memory_mb=512), measured(gateway=9.0, proxy=10.0, upstream=390.0), US)
    assert (both.request_ms, both.basis) == (400.0, Basis.MEASURED)
    expected = 3.5 + 0.2 + 400_000 * 0.5 * 0.0000133334 + 2.2 * 0.5
    assert both.serverless.per_million_usd == pytest.approx(expected, rel=1e-6)
    assert both.serverless.monthly_usd == 0


@pytest.mark.parametrize("load", [None, LoadEvidence(), measured(proxy=None)])
def test_without_a_measured_time_a_request_takes_a_second_by_estimate(load: LoadEvidence | None) -> None:
    both = requests.compare(Config(), load, US)
    assert (both.request_ms, both.basis) == (1_000.0, Basis.ESTIMATED)


def test_two_small_tasks_behind_a_balancer_cost_by_the_hour() -> None:
    fargate = requests.compare(Config(), None, US).fargate
    tasks = 2 * 730 * (0.25 * 0.03238 + 0.5 * 0.00356)
    assert fargate.monthly_usd == pytest.approx(tasks + 730 * 0.0225 + 4 * 730 * 0.005, rel=1e-6)


def test_fargate_is_cheaper_from_the_number_of_requests_at_which_both_cost_the_same() -> None:
    both = requests.compare(Config(), None, US)
    assert both.equal_at is not None
    millions = both.equal_at / 1_000_000
    serverless = both.serverless.per_million_usd * millions
    assert serverless == pytest.approx(both.fargate.monthly_usd + both.fargate.per_million_usd * millions, rel=1e-4)
