"""In China and GovCloud nothing is priced: another list, and another currency, would make every figure wrong."""

from __future__ import annotations

from datetime import date

import pytest
from chalicelib.costs.bill import Recorded
from chalicelib.costs.ledger import bill
from chalicelib.costs.prices import REGIONS, is_priced, prices_of, remarks
from chalicelib.costs.requests import compare
from chalicelib.domain.aws.address import Waf
from chalicelib.domain.config import Config

from tests.unit.costs.test_ledger import DEPLOYMENT

TODAY = date(2026, 11, 27)
ACL = "arn:aws:wafv2:eu-central-1:123456789012:regional/webacl/limits/1234abcd-12ab-34cd-56ef-1234567890ab"


@pytest.mark.parametrize("region", ["cn-north-1", "cn-northwest-1", "us-gov-west-1", "us-gov-east-1", "us-iso-east-1"])
def test_a_rollout_there_has_no_dollars(region: str) -> None:
    priced = bill(DEPLOYMENT, [], region, TODAY)
    assert (priced.recorded, priced.usd, priced.region, priced.lines) == (Recorded.UNPRICED, None, region, ())
    assert priced.remarks == remarks(region, TODAY)
    assert priced.remarks[0].startswith(f"NOT PRICED: {region}")


@pytest.mark.parametrize("region", [*REGIONS, "ap-southeast-2", "ca-central-1"])
def test_every_other_region_is_priced(region: str) -> None:
    assert is_priced(region)


def test_a_web_acl_costs_for_every_request() -> None:
    prices = prices_of("eu-central-1")
    without, filtered = (compare(config, None, prices) for config in (Config(), Config(waf=Waf(ACL))))
    more = filtered.serverless.per_million_usd - without.serverless.per_million_usd
    assert round(more, 6) == 0.60
    assert filtered.fargate == without.fargate
