"""What a run costs, before it begins. Pure. List prices of us-east-1 in USD, as of 2026-11.

Source: the price pages of each service. Free tiers are not subtracted, so that an account may pay less.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Item:
    """`amount` units at `usd` each."""

    what: str
    amount: float
    unit: str
    usd: float

    @property
    def cost(self) -> float:
        """In USD."""
        return self.amount * self.usd


# Amounts of one run, from the embedded cloud's counts and rounded up; what costs by the month lives two hours at most.
ITEMS = (
    Item("Lambda, control plane and proxy", 3_000, "GB-s on arm64", 0.0000133334),
    Item("Lambda requests", 20_000, "requests", 0.0000002),
    Item("Step Functions", 1_500, "state transitions", 0.000025),
    Item("API Gateway", 10_000, "requests", 0.0000035),
    Item("DynamoDB", 20_000, "write and read units", 0.000000625),
    Item("CloudWatch alarms", 20 * 2 / 730, "alarm-months", 0.10),
    Item("CloudWatch custom metrics", 30 * 2 / 730, "metric-months", 0.30),
    Item("CloudWatch Logs", 0.05, "GB ingested", 0.50),
    Item("CloudWatch requests", 2_000, "requests", 0.00001),
    Item("Secrets Manager", 2 * 2 / 730, "secret-months", 0.40),
    Item("S3", 500, "requests", 0.000005),
)
MINUTES = "15 to 25 minutes"


def total() -> float:
    """In USD."""
    return sum(item.cost for item in ITEMS)


def lines() -> list[str]:
    """For the terminal: an item a line, then the sum."""
    rows = [f"  {item.what:<34} {item.amount:>10,.2f} {item.unit:<22} ${item.cost:.4f}" for item in ITEMS]
    return [*rows, f"  {'together, at most about':<34} {'':>10} {'':<22} ${total():.2f}", f"  It takes {MINUTES}."]
