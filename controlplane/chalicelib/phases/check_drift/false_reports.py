"""What CloudFormation is known to report as drift although nobody changed anything; each entry has its source."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FalseReport:
    """same: whether the expected and the actual value mean the same. source: where the report is known as false."""

    resource_type: str
    path: str
    same: Callable[[str, str], bool]
    source: str


FALSE_REPORTS = (
    # Stacks made by an older template give the log group's `Arn`, which ends in `:*`; API Gateway stores it without.
    FalseReport(
        "AWS::ApiGateway::Stage",
        "/AccessLogSetting/DestinationArn",
        lambda expected, actual: expected == f"{actual}:*" and ":log-group:" in actual,
        "https://github.com/aws/aws-cdk/issues/38796",
    ),
)


def is_false(resource_type: str, path: str, expected: str, actual: str) -> bool:
    """Whether this difference is on the list."""
    return any(
        report.resource_type == resource_type and report.path == path and report.same(expected, actual)
        for report in FALSE_REPORTS
    )
