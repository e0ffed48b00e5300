"""The queue of events that a webhook did not take (SQS)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol


class Retries(Protocol):
    """After its last attempt SQS moves a message to the dead-letter queue."""

    def add(self, message: Mapping[str, str]) -> None: ...

    def postpone(self, receipt: str, after_s: int) -> None:
        """The next attempt of a message that was received, so many seconds from now."""
        ...
