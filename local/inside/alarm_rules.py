"""How CloudWatch decides an alarm's state from the datapoints of its own metric. Pure.

Source: CloudWatch user guide, "Configuring how CloudWatch alarms treat missing data" (its two tables are the tests'),
"Evaluating an alarm", and "Percentile-based alarms and low data samples".
"""

from collections.abc import Sequence
from dataclasses import dataclass

# CloudWatch reads a few more periods than it evaluates, so that late or missing points do not decide at once.
EXTRA_PERIODS = 2
OK, ALARM, NO_DATA = "OK", "ALARM", "INSUFFICIENT_DATA"


@dataclass(frozen=True)
class Rule:
    """When an alarm fires: `datapoints` of the last `periods` compare as `comparison` says with `threshold`."""

    comparison: str
    threshold: float
    periods: int
    datapoints: int
    missing: str = "missing"


def breaches(comparison: str, value: float, threshold: float) -> bool:
    """Whether one datapoint is out of bounds. Raises KeyError for a comparison of anomaly detection."""
    return {
        "GreaterThanOrEqualToThreshold": value >= threshold,
        "GreaterThanThreshold": value > threshold,
        "LessThanThreshold": value < threshold,
        "LessThanOrEqualToThreshold": value <= threshold,
    }[comparison]


def next_state(rule: Rule, points: Sequence[float | None], current: str) -> str:
    """The state after these datapoints, the oldest first; None is a period without data.

    points: the evaluation range, `rule.periods + EXTRA_PERIODS` of them.
    """
    present = [breaches(rule.comparison, value, rule.threshold) for value in points if value is not None]
    recent = present[-rule.periods :]
    if len(recent) == rule.periods:
        return _state(sum(recent) >= rule.datapoints)
    return _with_missing(rule, recent, current)


def _with_missing(rule: Rule, present: Sequence[bool], current: str) -> str:
    absent, breaching = rule.periods - len(present), sum(present)
    if rule.missing == "breaching":
        return _state(breaching + absent >= rule.datapoints)
    if rule.missing == "notBreaching" or breaching >= rule.datapoints:
        return _state(breaching >= rule.datapoints)
    if not all(present):
        return OK  # a point within bounds, and too few out of bounds
    if rule.missing == "ignore":
        return current
    return ALARM if present else NO_DATA


def _state(fires: bool) -> str:
    return ALARM if fires else OK


def enough_samples(statistic: str, count: float) -> bool:
    """Whether a percentile says something about so many samples; other statistics always do.

    statistic: `p99`, `p99.9`, `Average` ... Below the median CloudWatch wants 10/percentile samples, above it
    10/(1-percentile).
    """
    if not statistic.startswith("p") or not statistic[1:].replace(".", "", 1).isdigit():
        return True
    share = float(statistic[1:]) / 100
    rarer = min(share, 1 - share)
    return rarer <= 0 or count >= round(10 / rarer)
