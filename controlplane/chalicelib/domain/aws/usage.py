"""What a call of one of the control plane's Lambdas used of what AWS bills by the unit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

_DIGITS = 4


@dataclass(frozen=True, slots=True)
class Usage:
    """Units of one or several calls; all of them add up.

    calls: invocations that were measured to their end. gb_s: of those, from the process's beginning (a cold start) or
    the call's. write_units, read_units: of DynamoDB, as it answers them. s3_writes: PUT, COPY, POST and LIST requests;
    s3_reads: GET and HEAD; s3_bytes: stored. secret_calls: of Secrets Manager. metrics_read: metrics asked of
    GetMetricData; cloudwatch_calls: other requests to CloudWatch. messages: published to SNS, SQS and EventBridge.
    proxy_calls: requests to the proxy through API Gateway; proxy_invokes: direct invocations; proxy_s: seconds until
    the end of each answer of both, as the caller sees them.
    """

    calls: int = 0
    gb_s: float = 0.0
    write_units: float = 0.0
    read_units: float = 0.0
    s3_writes: int = 0
    s3_reads: int = 0
    s3_bytes: int = 0
    secret_calls: int = 0
    metrics_read: int = 0
    cloudwatch_calls: int = 0
    messages: int = 0
    proxy_calls: int = 0
    proxy_invokes: int = 0
    proxy_s: float = 0.0

    def plus(self, other: Usage) -> Usage:
        """The sum of both."""
        sums: dict[str, Any] = {
            each.name: round(getattr(self, each.name) + getattr(other, each.name), _DIGITS) for each in fields(Usage)
        }
        return Usage(**sums)

    def used(self) -> Mapping[str, float]:
        """The units that are not zero, by name: what a record holds."""
        return {each.name: getattr(self, each.name) for each in fields(Usage) if getattr(self, each.name)}
