"""SNS and SQS values."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Probe:
    """A queue that receives what a topic sends."""

    queue_url: str
    queue_arn: str
    subscription_arn: str
