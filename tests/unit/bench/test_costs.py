"""What an environment and the control plane cost while nobody uses them: templates and the product's price table."""

from __future__ import annotations

import copy
from collections.abc import Callable

import pytest
from chalicelib.costs import at_rest
from chalicelib.costs.bill import line, total
from chalicelib.costs.prices import AS_OF, Price

from bench import costs
from judges.documents import Sources, read

REST = total(costs.environment(read()))


@pytest.fixture
def sources() -> Sources:
    return copy.deepcopy(read())


def test_what_the_product_takes_the_stacks_for_is_what_their_templates_hold(sources: Sources) -> None:
    assert costs.environment_stack(sources) == at_rest.ENVIRONMENT_STACK
    assert costs.control_plane_stack(sources) == at_rest.CONTROL_PLANE_STACK


def test_an_environment_at_rest_costs_at_most_one_and_a_half_dollars_a_month(sources: Sources) -> None:
    """Issue 10: at list price, with secret, alarms and nights."""
    lines = costs.environment(sources)
    assert total(lines) <= costs.ENVIRONMENT_USD == 1.50
    by_unit = {each.unit: each.amount for each in lines}
    assert (by_unit["alarm-metrics"], by_unit["secrets"]) == (9, 1)
    assert by_unit["state transitions"] == pytest.approx(60 * 30.4375)


def test_the_control_plane_at_rest_costs_at_most_five_cents_a_month(sources: Sources) -> None:
    assert total(costs.control_plane(sources)) <= costs.CONTROL_PLANE_USD == 0.05


def test_a_log_group_that_is_added_to_the_template_is_on_the_bill(sources: Sources) -> None:
    sources.proxy["Resources"]["Other"] = sources.proxy["Resources"]["LogGroup"]
    assert total(costs.environment(sources)) > REST


def test_a_candidate_stage_with_metrics_is_on_the_bill(sources: Sources) -> None:
    sources.proxy["Resources"]["CandidateStage"]["Properties"]["MethodSettings"][0]["MetricsEnabled"] = True
    assert costs.environment_stack(sources).measured_stages == 2


@pytest.mark.parametrize("part", ["proxy", "resources"])
def test_a_resource_whose_price_nobody_has_looked_up_stops_the_bill(part: str, sources: Sources) -> None:
    getattr(sources, part)["Resources"]["Gateway"] = {"Type": "AWS::EC2::NatGateway", "Properties": {}}
    bill: Callable[[Sources], object] = costs.environment if part == "proxy" else costs.control_plane
    with pytest.raises(KeyError, match="NatGateway"):
        bill(sources)


def test_a_sweep_every_minute_would_be_on_the_bill(sources: Sources) -> None:
    before = total(costs.control_plane(sources))
    sources.resources["Resources"]["SweepSchedule"]["Properties"]["ScheduleExpression"] = "rate(1 minute)"
    assert total(costs.control_plane(sources)) > before * 2


@pytest.mark.parametrize(("amount", "holds"), [(1.5, True), (1.51, False)])
def test_the_bill_misses_above_its_bound(amount: float, holds: bool) -> None:
    report = costs.report("x", [line("a", amount, Price("units", 1.0))], 1.5)
    assert [bound.holds for bound in report.bounds] == [holds]
    assert "units" in report.lines[0]


def test_both_bills_and_a_million_requests_are_printed_with_the_date_of_the_prices(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert costs.main([]) == 0
    printed = capsys.readouterr().out
    assert f"{AS_OF:%Y-%m}" in printed
    assert printed.count("PASS  together, a month") == 2
    assert "Fargate and a load balancer" in printed
