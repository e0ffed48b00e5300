"""The rates at which AWS's control-plane APIs answer, and the buckets that hold callers to them. Pure.

Per account and region. Sources: docs/fidelity.md, "The strict cloud". An API without a published rate is not listed,
except IAM's simulator, for which practitioners report a few calls a second.
"""

from dataclasses import dataclass

from local.inside.calls import Refusal


@dataclass(frozen=True)
class Rate:
    """A token bucket: `burst` calls at once, `per_s` more each second. Actions of one `name` share it."""

    name: str
    per_s: float
    burst: float
    refusal: Refusal


def _cloudwatch(name: str, per_s: float) -> Rate:
    return Rate(name, per_s, per_s, Refusal(400, "Throttling", "Rate exceeded"))


def _logs(name: str, per_s: float) -> Rate:
    return Rate(name, per_s, per_s, Refusal(400, "ThrottlingException", "Rate exceeded"))


def _states(name: str, burst: float, per_s: float) -> Rate:
    return Rate(name, per_s, burst, Refusal(400, "ThrottlingException", "Rate exceeded"))


_TOO_MANY = Refusal(429, "TooManyRequestsException", "Rate exceeded")
_LAMBDA = Rate("lambda control plane", 15, 15, _TOO_MANY)
_GATEWAY = Rate("apigateway control plane", 10, 40, _TOO_MANY)
_LAMBDA_DATA_PLANE = ("lambda:InvokeFunction", "lambda:InvokeAsync", "lambda:InvokeFunctionUrl")

_BY_ACTION: dict[str, Rate] = {
    "cloudwatch:DescribeAlarms": _cloudwatch("DescribeAlarms", 9),
    "cloudwatch:PutMetricAlarm": _cloudwatch("PutMetricAlarm", 3),
    "cloudwatch:SetAlarmState": _cloudwatch("SetAlarmState", 3),
    "cloudwatch:DeleteAlarms": _cloudwatch("DeleteAlarms", 3),
    "cloudwatch:DescribeAlarmHistory": _cloudwatch("DescribeAlarmHistory", 3),
    "cloudwatch:PutDashboard": _cloudwatch("PutDashboard", 10),
    "cloudwatch:DeleteDashboards": _cloudwatch("DeleteDashboards", 10),
    "cloudwatch:ListDashboards": _cloudwatch("ListDashboards", 10),
    "cloudwatch:GetMetricData": _cloudwatch("GetMetricData", 50),
    "logs:FilterLogEvents": _logs("FilterLogEvents", 5),
    "logs:DescribeLogGroups": _logs("DescribeLogGroups", 10),
    "logs:CreateLogGroup": _logs("CreateLogGroup", 10),
    "logs:DeleteLogGroup": _logs("DeleteLogGroup", 10),
    "states:StartExecution": _states("StartExecution", 800, 150),
    "states:DescribeExecution": _states("DescribeExecution", 250, 10),
    "states:ListExecutions": _states("ListExecutions", 100, 2),
    "iam:SimulatePrincipalPolicy": Rate("simulator", 5, 10, Refusal(400, "Throttling", "Rate exceeded")),
    "tag:GetResources": Rate("GetResources", 15, 15, Refusal(400, "ThrottledException", "Rate exceeded")),
    "lambda:GetFunction": Rate("GetFunction", 100, 100, _TOO_MANY),
    "lambda:GetPolicy": Rate("GetPolicy", 15, 15, _TOO_MANY),
}


def rate_of(action: str) -> Rate | None:
    """The bucket that an action draws from; None where no rate is known."""
    if action in _BY_ACTION:
        return _BY_ACTION[action]
    if action.startswith("lambda:") and action not in _LAMBDA_DATA_PLANE:
        return _LAMBDA
    return _GATEWAY if action.startswith("apigateway:") else None


class Buckets:
    """One bucket a rate; full at first."""

    def __init__(self) -> None:
        self._levels: dict[str, tuple[float, float]] = {}

    def draw(self, rate: Rate, now: float) -> bool:
        """Take one token at `now` (s); False if there is none."""
        level, at = self._levels.get(rate.name, (rate.burst, now))
        level = min(rate.burst, level + (now - at) * rate.per_s)
        passes = level >= 1
        self._levels[rate.name] = (level - 1 if passes else level, now)
        return passes
