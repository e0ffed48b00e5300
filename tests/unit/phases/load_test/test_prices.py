"""The prices of AWS, worked out by hand, and the limit on both sides."""

from __future__ import annotations

from dataclasses import replace

import pytest
from chalicelib.domain.config import Config
from chalicelib.domain.errors import BadRequest
from chalicelib.domain.options import Load, Options
from chalicelib.phases.load_test import cost

EXACT = 1e-9  # relative: a price that differs by a millionth is another price
CONFIG = replace(Config(), memory_mb=512)
LOAD = Load(workers=3, duration_s=20, cold_starts=0)


def test_an_invocation_costs_its_request_and_its_gigabyte_seconds() -> None:
    assert cost.invocation_usd(1_024, 1_000) == pytest.approx(2e-7 + 1.33334e-5, rel=EXACT)
    assert cost.invocation_usd(256, 2_000) == pytest.approx(2e-7 + 0.5 * 1.33334e-5, rel=EXACT)


def test_a_run_costs_gateway_proxy_tokens_and_workers() -> None:
    requests = 1_000 * (3.5e-6 + 2e-7 + 0.5 * 1.33334e-5 + 64 * 10e-6)
    workers = 3 * 20 * 1.33334e-5
    assert cost.estimate_usd(LOAD, CONFIG, 10, 1_000) == pytest.approx(requests + workers, rel=EXACT)


def test_a_run_without_the_upstream_costs_no_tokens() -> None:
    requests = 1_000 * (3.5e-6 + 2e-7 + 0.5 * 1.33334e-5)
    workers = 3 * 20 * 1.33334e-5
    free = replace(LOAD, upstream="none")
    assert cost.estimate_usd(free, CONFIG, 10, 1_000) == pytest.approx(requests + workers, rel=EXACT)


def test_a_forced_cold_start_bills_three_seconds() -> None:
    forced = cost.estimate_usd(replace(LOAD, cold_starts=7), CONFIG, 10, 0) - cost.estimate_usd(LOAD, CONFIG, 10, 0)
    assert forced == pytest.approx(7 * (2e-7 + 3 * 0.5 * 1.33334e-5), rel=EXACT)


def test_a_memory_size_costs_two_cold_calls_and_twenty_warm_ones_with_tokens() -> None:
    def size(gigabytes: float) -> float:
        return 2 * (2e-7 + 3 * gigabytes * 1.33334e-5) + 20 * (2e-7 + gigabytes * 1.33334e-5 + 64 * 10e-6)

    assert cost.tuning_usd((512, 1_024), 10) == pytest.approx(size(0.5) + size(1), rel=EXACT)


def test_a_million_requests_cost_gateway_and_lambda_to_a_hundredth_of_a_cent() -> None:
    assert cost.per_million_usd(512, 123) == 4.52  # 3.5 + 0.2 + 0.5 * 0.123 * 13.3334 = 4.5200041
    assert cost.per_million_usd(512, 77) == 4.2133  # 4.2133359
    assert cost.per_million_usd(10_240, 60_000) == 8003.74  # 3.7 + 10 * 60 * 13.3334


def test_an_estimate_at_the_limit_is_accepted_and_above_it_refused() -> None:
    options = Options(load=LOAD, usd_per_million_tokens=10)
    estimate = cost.estimate_usd(LOAD, CONFIG, 10, 1_000)
    at = replace(options, max_cost_usd=estimate)
    assert cost.guard(CONFIG, at, 1_000, tokens_are_free=False) == estimate
    with pytest.raises(BadRequest, match=r"about \$0\.6512 for 1000 requests.*; the limit is \$0\.6512") as error:
        cost.guard(CONFIG, replace(at, max_cost_usd=estimate - 1e-9), 1_000, tokens_are_free=False)
    assert error.value.field == "options.max_cost_usd"


def test_tokens_of_a_stand_in_are_free() -> None:
    options = Options(load=LOAD, usd_per_million_tokens=10)
    assert cost.guard(CONFIG, options, 1_000, tokens_are_free=True) == cost.estimate_usd(LOAD, CONFIG, 0, 1_000)
