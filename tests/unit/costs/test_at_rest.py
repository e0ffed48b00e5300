"""A month of an environment and of the control plane while nobody uses them."""

from __future__ import annotations

import pytest
from chalicelib.costs import at_rest
from chalicelib.costs.at_rest import CONTROL_PLANE_STACK, ENVIRONMENT_STACK
from chalicelib.costs.bill import Basis, line, total
from chalicelib.costs.prices import NIGHTS, prices_of
from chalicelib.domain.config import AlarmThresholds, Config, Webhook

US = prices_of("us-east-1")


def month(config: Config) -> float:
    return total(at_rest.environment(ENVIRONMENT_STACK, config, US))


def test_more_alarms_a_webhook_and_metrics_by_method_cost_more() -> None:
    rest = month(Config())
    assert month(Config(alarms=AlarmThresholds(concurrency=500))) == pytest.approx(rest + 0.10)
    assert month(Config(webhook=Webhook("https://hooks.example/x"))) == pytest.approx(rest + 0.40)
    by_method = AlarmThresholds(gateway_dimensions="method")
    assert month(Config(alarms=by_method)) == pytest.approx(rest + 15 * 0.30 * NIGHTS / 730, rel=1e-4)


def test_an_adopted_secret_is_on_another_bill() -> None:
    adopted = Config(secret_arn="arn:aws:secretsmanager:eu-central-1:123456789012:secret:theirs-AbCdEf")
    assert month(adopted) == pytest.approx(month(Config()) - 0.40)


def test_nights_repeat_the_revalidation_on_record() -> None:
    night = line("Lambdas", 10, US.lambda_gb_s, Basis.MEASURED)
    lines = at_rest.environment(ENVIRONMENT_STACK, Config(), US, (night,))
    (repeated,) = [each for each in lines if each.what == "nights: Lambdas"]
    assert repeated.amount == pytest.approx(10 * NIGHTS)
    assert repeated.basis is Basis.MEASURED
    assert repeated.usd == pytest.approx(night.usd * NIGHTS, rel=1e-4)
    assert any(each.what == "nights: workflow around it" for each in lines)
    assert not any(each.what == "nights: calls of Lambdas" for each in lines)


def test_what_the_control_plane_costs_at_rest_is_mostly_its_sweeps_and_its_table() -> None:
    lines = at_rest.control_plane(CONTROL_PLANE_STACK, US)
    assert 0 < total(lines) <= 0.05
    assert all(each.usd == 0 for each in lines if each.unit in ("queue calls", "dashboards"))
