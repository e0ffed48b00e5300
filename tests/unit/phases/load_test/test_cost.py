"""The estimate counts all that a load test calls: requests, workers, forced cold starts and memory sizes."""

from __future__ import annotations

import pytest
from chalicelib.domain.config import Config
from chalicelib.domain.errors import BadRequest
from chalicelib.domain.options import Load, Options
from chalicelib.phases.load_test.cost import estimate_usd, guard, tuning_usd

NOTHING = Load(upstream="none", cold_starts=0)
SIZES = (256, 512, 1_024)


def test_cold_starts_are_counted() -> None:
    forced = Load(upstream="none", cold_starts=100)
    assert estimate_usd(forced, Config(), 0, 10) > estimate_usd(NOTHING, Config(), 0, 10)


def test_each_memory_size_is_counted_with_its_tokens() -> None:
    assert tuning_usd(SIZES, 10) > tuning_usd(SIZES[:1], 10) > tuning_usd((), 10) == 0
    assert tuning_usd(SIZES, 10) > tuning_usd(SIZES, 0) > 0


def cost_of(sizes: tuple[int, ...], limit: float) -> float:
    options = Options(load=NOTHING, tune_memory=sizes, max_cost_usd=limit)
    return guard(Config(), options, 100, tokens_are_free=False)


def test_sizes_that_exceed_the_limit_are_refused_and_a_cent_more_lets_them_pass() -> None:
    cost = cost_of(SIZES, 1)
    assert cost_of(SIZES, cost) == cost
    with pytest.raises(BadRequest) as refused:
        cost_of(SIZES, cost * 0.999)
    assert refused.value.field == "options.max_cost_usd"
    assert "3 memory sizes" in refused.value.message
    assert cost_of((), cost * 0.999) < cost
