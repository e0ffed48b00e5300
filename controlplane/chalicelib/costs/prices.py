"""AWS's list prices in USD by region, as of `AS_OF`, from the price page of each service. Pure.

`free` is the first step of a price page, which every account has in every month for ever. Free tiers of new accounts
are not subtracted, nor are CloudWatch's ten free alarms and metrics, which an account's other alarms soon use up.
The first tier of each price, on demand; arm64 for Lambda and Fargate.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

AS_OF = date(2026, 11, 1)
HOURS = 730.0  # of a month
NIGHTS = 365.25 / 12
OLD_DAYS = 365
_DEFAULT = "us-east-1"
_MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Price:
    """usd a unit; free: units a month that cost nothing."""

    unit: str
    usd: float
    free: float = 0.0

    def at(self, usd: float) -> Price:
        """The same unit at another price."""
        return replace(self, usd=usd)


@dataclass(frozen=True, slots=True)
class PriceList:
    """The prices of one region. Storage, alarms, metrics, secrets and load balancers are by the month or the hour."""

    region: str
    alarm: Price = Price("alarm-metrics", 0.10)
    custom_metric: Price = Price("metric-months", 0.30)
    dashboard: Price = Price("dashboards", 3.00, free=3)
    log_ingested: Price = Price("GB of logs", 0.50)
    log_stored: Price = Price("GB of logs kept", 0.03)
    metric_read: Price = Price("metrics read", 0.01 / 1_000)
    cloudwatch_call: Price = Price("CloudWatch calls", 0.01 / 1_000)
    secret: Price = Price("secrets", 0.40)
    secret_call: Price = Price("secret reads", 0.05 / 10_000)
    lambda_gb_s: Price = Price("GB-s on arm64", 0.0000133334)
    lambda_call: Price = Price("Lambda calls", 0.20 / _MILLION)
    transition: Price = Price("state transitions", 0.025 / 1_000)
    waf_request: Price = Price("requests filtered by WAF", 0.60 / _MILLION)
    gateway_call: Price = Price("API calls", 3.50 / _MILLION)
    write_unit: Price = Price("write units", 0.625 / _MILLION)
    read_unit: Price = Price("read units", 0.125 / _MILLION)
    table_stored: Price = Price("GB in the table, with backups", 0.25 + 0.20)
    s3_stored: Price = Price("GB in S3", 0.023)
    s3_write: Price = Price("S3 writes and lists", 0.005 / 1_000)
    s3_read: Price = Price("S3 reads", 0.0004 / 1_000)
    schedule: Price = Price("scheduled calls", 1.00 / _MILLION, free=14_000_000)
    queue_call: Price = Price("queue calls", 0.40 / _MILLION, free=_MILLION)
    message: Price = Price("messages", 1.00 / _MILLION)
    fargate_vcpu: Price = Price("vCPU-hours on arm64", 0.03238)
    fargate_gb: Price = Price("GB-hours on arm64", 0.00356)
    balancer: Price = Price("load balancer hours", 0.0225)
    balancer_unit: Price = Price("load balancer capacity units, hours", 0.008)
    address: Price = Price("public IPv4 hours", 0.005)


_US = PriceList(_DEFAULT)
_TABLE: Mapping[str, PriceList] = {
    _DEFAULT: _US,
    "us-east-2": replace(_US, region="us-east-2"),
    "us-west-2": replace(_US, region="us-west-2"),
    "eu-west-1": replace(
        _US,
        region="eu-west-1",
        log_ingested=_US.log_ingested.at(0.57),
        write_unit=_US.write_unit.at(0.7075 / _MILLION),
        read_unit=_US.read_unit.at(0.1415 / _MILLION),
        table_stored=_US.table_stored.at(0.283 + 0.226),
        balancer=_US.balancer.at(0.0252),
    ),
    "eu-central-1": replace(
        _US,
        region="eu-central-1",
        log_ingested=_US.log_ingested.at(0.63),
        log_stored=_US.log_stored.at(0.0324),
        gateway_call=_US.gateway_call.at(3.70 / _MILLION),
        write_unit=_US.write_unit.at(0.7625 / _MILLION),
        read_unit=_US.read_unit.at(0.1525 / _MILLION),
        table_stored=_US.table_stored.at(0.306 + 0.2448),
        s3_stored=_US.s3_stored.at(0.0245),
        s3_write=_US.s3_write.at(0.0054 / 1_000),
        s3_read=_US.s3_read.at(0.00043 / 1_000),
        fargate_vcpu=_US.fargate_vcpu.at(0.03725),
        fargate_gb=_US.fargate_gb.at(0.00409),
        balancer=_US.balancer.at(0.027),
    ),
}
REGIONS = tuple(_TABLE)
_OTHER_LISTS = ("cn-", "us-gov-", "us-iso", "eu-isoe-", "eusc-")


def is_priced(region: str) -> bool:
    """Whether the table's prices say anything of a region: China and GovCloud have lists, and China a currency, of
    their own."""
    return region in _TABLE or not region.startswith(_OTHER_LISTS)


def prices_of(region: str) -> PriceList:
    """The prices of a region; those of us-east-1, under that name, for a region that the table lacks."""
    return _TABLE.get(region, _US)


def remarks(region: str, today: date) -> tuple[str, ...]:
    """What to know of the prices of a region: that another region's stand in for them, or that they are old."""
    lines = []
    if not is_priced(region):
        return (f"NOT PRICED: {region} has a price list of its own, which the table does not have.",)
    if region not in _TABLE:
        lines.append(f"The price table has no prices of {region}: these are those of {_DEFAULT}.")
    if (today - AS_OF).days > OLD_DAYS:
        lines.append(f"The prices are more than a year old: they are of {AS_OF:%Y-%m}.")
    return tuple(lines)
