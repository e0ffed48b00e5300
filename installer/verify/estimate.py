"""What a run costs, before it begins. Pure. List prices of us-east-1, from the product's table (`chalicelib/costs`).

Free tiers are not subtracted, so that an account may pay less.
"""

from chalicelib.costs.bill import Line, line
from chalicelib.costs.bill import total as total_of
from chalicelib.costs.prices import AS_OF, HOURS, prices_of

_US = prices_of("us-east-1")
_HOURS = 2  # that what costs by the month lives, at most
# Amounts of one run, from the embedded cloud's counts and rounded up.
LINES: tuple[Line, ...] = (
    line("Lambda, control plane and proxy", 3_000, _US.lambda_gb_s),
    line("Lambda requests", 20_000, _US.lambda_call),
    line("Step Functions", 1_500, _US.transition),
    line("API Gateway", 10_000, _US.gateway_call),
    line("DynamoDB, written", 15_000, _US.write_unit),
    line("DynamoDB, read", 15_000, _US.read_unit),
    line("CloudWatch alarms", 20 * _HOURS / HOURS, _US.alarm),
    line("CloudWatch custom metrics", 30 * _HOURS / HOURS, _US.custom_metric),
    line("CloudWatch Logs", 0.05, _US.log_ingested),
    line("CloudWatch requests", 2_000, _US.cloudwatch_call),
    line("Secrets Manager", 2 * _HOURS / HOURS, _US.secret),
    line("S3", 500, _US.s3_write),
)
MINUTES = "20 to 35 minutes"


def total() -> float:
    """In USD."""
    return total_of(LINES)


def lines() -> list[str]:
    """For the terminal: an item a line, then the sum and whose prices they are."""
    rows = [f"  {each.what:<34} {each.amount:>10,.2f} {each.unit:<22} ${each.usd:.4f}" for each in LINES]
    whole = f"  {'together, at most about':<34} {'':>10} {'':<22} ${total():.2f}"
    return [*rows, whole, f"  List prices of {_US.region}, {AS_OF:%Y-%m}. It takes {MINUTES}."]
