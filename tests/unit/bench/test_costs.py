"""What an environment and the control plane cost while nobody uses them: templates and a dated price table."""

from __future__ import annotations

import copy
from collections.abc import Callable

import pytest
from chalicelib.domain.config import AlarmThresholds, Config, Webhook

from bench import costs, prices
from bench.prices import Item, Price
from judges.documents import Sources, read

REST = costs.total(costs.environment(read()))


@pytest.fixture
def sources() -> Sources:
    return copy.deepcopy(read())


def test_an_environment_at_rest_costs_at_most_one_and_a_half_dollars_a_month(sources: Sources) -> None:
    """Issue 10: at list price, with secret, alarms and nights."""
    items = costs.environment(sources)
    assert costs.total(items) <= costs.ENVIRONMENT_USD == 1.50
    by_price = {item.price: item.amount for item in items}
    assert (by_price[prices.ALARM], by_price[prices.SECRET]) == (9, 1)
    assert by_price[prices.TRANSITION] == pytest.approx(60 * 30.4375)


def test_the_control_plane_at_rest_costs_at_most_five_cents_a_month(sources: Sources) -> None:
    assert costs.total(costs.control_plane(sources)) <= costs.CONTROL_PLANE_USD == 0.05


def measured_methods(sources: Sources) -> None:
    stage = sources.proxy["Resources"]["Stage"]["Properties"]
    stage["MethodSettings"][0]["MetricsEnabled"] = True


def second_group(sources: Sources) -> None:
    sources.proxy["Resources"]["Other"] = sources.proxy["Resources"]["LogGroup"]


@pytest.mark.parametrize("plant", [measured_methods, second_group])
def test_what_is_added_to_the_template_is_on_the_bill(plant: Callable[[Sources], None], sources: Sources) -> None:
    plant(sources)
    assert costs.total(costs.environment(sources)) > REST


@pytest.mark.parametrize("part", ["proxy", "resources"])
def test_a_resource_whose_price_nobody_has_looked_up_stops_the_bill(part: str, sources: Sources) -> None:
    getattr(sources, part)["Resources"]["Gateway"] = {"Type": "AWS::EC2::NatGateway", "Properties": {}}
    with pytest.raises(KeyError, match="NatGateway"):
        (costs.environment if part == "proxy" else costs.control_plane)(sources)


def test_more_alarms_and_a_webhook_cost_more(sources: Sources) -> None:
    watching = Config(alarms=AlarmThresholds(concurrency=500))
    assert costs.total(costs.environment(sources, watching)) == pytest.approx(REST + 0.10)
    calling = Config(webhook=Webhook("https://hooks.example/x"))
    assert costs.total(costs.environment(sources, calling)) == pytest.approx(REST + 0.40)


def test_a_sweep_every_minute_would_be_on_the_bill(sources: Sources) -> None:
    before = costs.total(costs.control_plane(sources))
    sources.resources["Resources"]["SweepSchedule"]["Properties"]["ScheduleExpression"] = "rate(1 minute)"
    assert costs.total(costs.control_plane(sources)) > before * 2


@pytest.mark.parametrize(("amount", "usd"), [(2, 0.0), (3, 0.0), (4, 3.0)])
def test_the_first_units_of_some_prices_cost_nothing(amount: float, usd: float) -> None:
    assert Item("dashboards", amount, prices.DASHBOARD).usd == usd


@pytest.mark.parametrize(("amount", "holds"), [(1.5, True), (1.51, False)])
def test_the_bill_names_its_date_and_misses_above_its_bound(amount: float, holds: bool) -> None:
    report = costs.report(f"x ({prices.DATE})", [Item("a", amount, Price("units", 1.0))], 1.5)
    assert [bound.holds for bound in report.bounds] == [holds]
    assert prices.DATE in report.title
    assert "units" in report.lines[0]


def test_both_bills_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert costs.main([]) == 0
    printed = capsys.readouterr().out
    assert prices.DATE in printed
    assert printed.count("PASS  together, a month") == 2
