"""The price table: a region's own prices, another region's under its name, and its age."""

from __future__ import annotations

from dataclasses import fields
from datetime import date, timedelta

import pytest
from chalicelib.costs import prices
from chalicelib.costs.prices import AS_OF, OLD_DAYS, Price, PriceList, prices_of, remarks


@pytest.mark.parametrize("region", prices.REGIONS)
def test_every_region_of_the_table_has_all_prices_under_its_own_name(region: str) -> None:
    listed = prices_of(region)
    assert listed.region == region
    assert all(getattr(listed, each.name).usd > 0 for each in fields(PriceList) if each.name != "region")
    assert remarks(region, AS_OF) == ()


def test_frankfurt_differs_where_its_price_pages_do() -> None:
    us, frankfurt = prices_of("us-east-1"), prices_of("eu-central-1")
    assert frankfurt.write_unit.usd == pytest.approx(7.625e-7)
    assert frankfurt.log_ingested.usd > us.log_ingested.usd
    assert frankfurt.lambda_gb_s == us.lambda_gb_s


def test_a_region_without_prices_gets_those_of_us_east_1_under_that_name() -> None:
    assert prices_of("mars-north-1") == prices_of("us-east-1")
    (remark,) = remarks("mars-north-1", AS_OF)
    assert "mars-north-1" in remark
    assert "us-east-1" in remark


@pytest.mark.parametrize(("days", "count"), [(OLD_DAYS, 0), (OLD_DAYS + 1, 1)])
def test_prices_of_more_than_a_year_say_their_date(days: int, count: int) -> None:
    lines = remarks("us-east-1", AS_OF + timedelta(days=days))
    assert len(lines) == count
    assert all(f"{AS_OF:%Y-%m}" in each for each in lines)


def test_another_price_keeps_unit_and_free_units() -> None:
    assert Price("calls", 1.0, free=3).at(2.0) == Price("calls", 2.0, free=3)
    assert date(2026, 11, 1) == AS_OF
