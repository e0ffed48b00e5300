"""List prices of us-east-1 in USD, as of 2026-11, from the price page of each service. Pure.

`free` is the first step of a price page, which every account has in every month for ever. Free tiers of new accounts
are not subtracted, nor are CloudWatch's ten free alarms and metrics, which an account's other alarms soon use up.
"""

from __future__ import annotations

from dataclasses import dataclass

DATE = "2026-11"
HOURS = 730.0  # of a month
NIGHTS = 365.25 / 12


@dataclass(frozen=True)
class Price:
    """usd a unit; free: units a month that cost nothing."""

    unit: str
    usd: float
    free: float = 0.0


ALARM = Price("alarm-metrics", 0.10)
CUSTOM_METRIC = Price("metric-months", 0.30)
DASHBOARD = Price("dashboards", 3.00, free=3)
LOG_INGESTED = Price("GB of logs", 0.50)
LOG_STORED = Price("GB of logs kept", 0.03)
CLOUDWATCH_CALL = Price("CloudWatch calls", 0.01 / 1_000)
SECRET = Price("secrets", 0.40)
SECRET_CALL = Price("secret reads", 0.05 / 10_000)
LAMBDA_GB_S = Price("GB-s on arm64", 0.0000133334)
LAMBDA_CALL = Price("Lambda calls", 0.20 / 1_000_000)
TRANSITION = Price("state transitions", 0.025 / 1_000)
GATEWAY_CALL = Price("API calls", 3.50 / 1_000_000)
WRITE_UNIT = Price("write units", 0.625 / 1_000_000)
READ_UNIT = Price("read units", 0.125 / 1_000_000)
TABLE_STORED = Price("GB in the table, with backups", 0.25 + 0.20)
S3_STORED = Price("GB in S3", 0.023)
S3_PUT = Price("S3 writes and lists", 0.005 / 1_000)
SCHEDULE = Price("scheduled calls", 1.00 / 1_000_000, free=14_000_000)
QUEUE_CALL = Price("queue calls", 0.40 / 1_000_000, free=1_000_000)


@dataclass(frozen=True)
class Item:
    """One line of a bill: `amount` units a month."""

    what: str
    amount: float
    price: Price

    @property
    def usd(self) -> float:
        """A month. Free units are subtracted as if nothing else in the account used them."""
        return max(0.0, self.amount - self.price.free) * self.price.usd

    def __str__(self) -> str:
        free = f", the first {self.price.free:,.0f} are free" if self.price.free else ""
        return f"{self.what:<46} {self.amount:>12,.4g} {self.price.unit + free:<48} ${self.usd:.4f}"
