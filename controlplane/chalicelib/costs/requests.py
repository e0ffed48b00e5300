"""What a million requests to the proxy cost, beside the same proxy on Fargate behind a load balancer.

Both without the provider's tokens, traffic out of AWS, and the metrics that the proxy emits, which are the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from chalicelib.domain.config import Config
from chalicelib.domain.evidence.load import LoadEvidence

from .bill import Basis, Line, line, total
from .prices import HOURS, PriceList

MILLION = 1_000_000
_GB = 1e9
LOG_BYTES = 2_200  # of a request: the proxy's line, the access log's, and Lambda's START, END and REPORT
_PROXY_LOG_BYTES = 1_100  # the proxy's line alone
_TYPICAL_MS = 1_000.0  # of an answer, where no load test has measured it
# Two tasks, so that one may end; the smallest that Fargate has. Two zones, each with an address of the balancer.
_TASKS, _TASK_VCPU, _TASK_GB, _ZONES = 2, 0.25, 0.5, 2
# A capacity unit is 25 new connections a second, 3,000 active ones a minute or 1 GB an hour (ELB pricing): 10 kB a
# request, kept connections.
_BYTES_A_REQUEST = 10_000


@dataclass(frozen=True, slots=True)
class Variant:
    """One way to run the proxy. monthly: its cost whatever it serves; per_million: more, for a million requests."""

    monthly_usd: float = 0.0
    per_million_usd: float = 0.0
    monthly: tuple[Line, ...] = ()
    per_million: tuple[Line, ...] = ()


@dataclass(frozen=True, slots=True)
class Comparison:
    """serverless: API Gateway and Lambda, as this project rolls it. equal_at: requests a month from which Fargate is
    cheaper; None where it never is. request_ms: the proxy's time of a request; basis: how that is known.
    """

    serverless: Variant = Variant()
    fargate: Variant = Variant()
    equal_at: int | None = None
    request_ms: float = 0.0
    basis: Basis = Basis.ESTIMATED


def compare(config: Config, load: LoadEvidence | None, prices: PriceList) -> Comparison:
    """load: the last load test of the environment, which has the time of a request; None without one."""
    measured = _measured_ms(load) if load else None
    request_ms = measured if measured is not None else _TYPICAL_MS
    basis = Basis.ESTIMATED if measured is None else Basis.MEASURED
    filtered = [line("WAF", MILLION, prices.waf_request, Basis.DERIVED)] if config.waf else []
    serverless = _variant((), (*_serverless(config.memory_mb, request_ms, basis, prices), *filtered))
    fargate = _variant(tuple(_tasks(prices)), tuple(_behind_a_balancer(prices)))
    return Comparison(serverless, fargate, _equal_at(serverless, fargate), round(request_ms, 1), basis)


def _measured_ms(load: LoadEvidence) -> float | None:
    """The median of the proxy's time with its upstream's; None where the proxy did not report it."""
    parts = [load.split_ms[name].p50 for name in ("proxy", "upstream") if name in load.split_ms]
    times = [each for each in parts if each is not None]
    return sum(times) if times else None


def _variant(monthly: tuple[Line, ...], per_million: tuple[Line, ...]) -> Variant:
    return Variant(total(monthly), total(per_million), monthly, per_million)


def _serverless(memory_mb: int, request_ms: float, basis: Basis, prices: PriceList) -> Iterator[Line]:
    yield line("API Gateway", MILLION, prices.gateway_call, Basis.DERIVED)
    yield line("calls of Lambda", MILLION, prices.lambda_call, Basis.DERIVED)
    yield line("Lambda", MILLION * request_ms / 1_000 * memory_mb / 1_024, prices.lambda_gb_s, basis)
    yield line("logs", MILLION * LOG_BYTES / _GB, prices.log_ingested)


def _tasks(prices: PriceList) -> Iterator[Line]:
    yield line(f"{_TASKS} tasks: processors", _TASKS * _TASK_VCPU * HOURS, prices.fargate_vcpu, Basis.DERIVED)
    yield line(f"{_TASKS} tasks: memory", _TASKS * _TASK_GB * HOURS, prices.fargate_gb, Basis.DERIVED)
    yield line("load balancer", HOURS, prices.balancer, Basis.DERIVED)
    yield line("public addresses", (_TASKS + _ZONES) * HOURS, prices.address, Basis.DERIVED)


def _behind_a_balancer(prices: PriceList) -> Iterator[Line]:
    yield line("load balancer: traffic", MILLION * _BYTES_A_REQUEST / _GB, prices.balancer_unit)
    yield line("logs", MILLION * _PROXY_LOG_BYTES / _GB, prices.log_ingested)


def _equal_at(serverless: Variant, fargate: Variant) -> int | None:
    saved = serverless.per_million_usd - fargate.per_million_usd
    return round((fargate.monthly_usd - serverless.monthly_usd) / saved * MILLION) if saved > 0 else None
