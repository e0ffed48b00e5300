"""Where the OpenAI SDK sends its requests."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Target:
    """Where the SDK is pointed: `base_url` without `/v1`; signed for an IAM route, or with a client's key."""

    base_url: str
    signed: bool
    timeout_s: float
    api_key: str = "none-is-needed"
