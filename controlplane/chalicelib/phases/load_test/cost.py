"""Estimates the cost of a load test before it sends anything. Prices in USD, of us-east-1 (`costs/prices`).

One region's prices everywhere, so that `slo.usd_per_million` means the same release in each. The caller states the
upstream's price in `options.usd_per_million_tokens`.
"""

from __future__ import annotations

from collections.abc import Sequence

from chalicelib.costs.prices import prices_of
from chalicelib.domain.config import Config
from chalicelib.domain.errors import BadRequest
from chalicelib.domain.options import Load, Options

_PRICES = prices_of("us-east-1")
REQUEST, GB_SECOND, GATEWAY = _PRICES.lambda_call.usd, _PRICES.lambda_gb_s.usd, _PRICES.gateway_call.usd
WORKER_GB = 1.0
TOKENS = 64  # of a short question and its answer; an upper estimate
COLD_SECONDS = 3.0  # that a cold start and its request take, at most
TUNE_COLD, TUNE_WARM = 2, 20  # calls of each memory size
SECONDS = 1.0  # that a request takes in the proxy, with the upstream


def invocation_usd(memory_mb: int, billed_ms: float) -> float:
    """USD of an invocation. billed_ms: milliseconds that Lambda bills."""
    return REQUEST + memory_mb / 1_024 * billed_ms / 1_000 * GB_SECOND


def estimate_usd(load: Load, config: Config, usd_per_million_tokens: float, requests: int) -> float:
    """USD of a run with so many requests: API Gateway, proxy, tokens, workers and forced cold starts."""
    tokens = TOKENS * usd_per_million_tokens / 1_000_000 if load.upstream == "real" else 0.0
    each = GATEWAY + invocation_usd(config.memory_mb, SECONDS * 1_000) + tokens
    starts = load.cold_starts * invocation_usd(config.memory_mb, COLD_SECONDS * 1_000)
    return requests * each + load.workers * load.duration_s * WORKER_GB * GB_SECOND + starts


def tuning_usd(sizes: Sequence[int], usd_per_million_tokens: float) -> float:
    """USD of the measurement of these memory sizes: cold calls, and warm ones that ask the upstream."""
    tokens = TOKENS * usd_per_million_tokens / 1_000_000
    return sum(
        TUNE_COLD * invocation_usd(size, COLD_SECONDS * 1_000)
        + TUNE_WARM * (invocation_usd(size, SECONDS * 1_000) + tokens)
        for size in sizes
    )


def per_million_usd(memory_mb: int, duration_ms: float) -> float:
    """USD of a million requests: API Gateway, and Lambda for this duration; without tokens."""
    return round((GATEWAY + invocation_usd(memory_mb, duration_ms)) * 1_000_000, 4)


def guard(config: Config, options: Options, requests: int, *, tokens_are_free: bool) -> float:
    """The estimate in USD. Raises BadRequest when it is above `options.max_cost_usd`."""
    price = 0.0 if tokens_are_free else options.usd_per_million_tokens
    cost = estimate_usd(options.load, config, price, requests) + tuning_usd(options.tune_memory, price)
    if cost > options.max_cost_usd:
        raise BadRequest(
            f"the load test would cost about ${cost:.4g} for {requests} requests, {options.load.cold_starts} cold "
            f"starts and {len(options.tune_memory)} memory sizes; "
            f"the limit is ${options.max_cost_usd:.4g}",
            field="options.max_cost_usd",
            remedy="Raise options.max_cost_usd, lower options.load or options.tune_memory, or set "
            "options.load.upstream to none.",
        )
    return cost
