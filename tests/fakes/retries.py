"""`ports.retries` in memory."""

from __future__ import annotations

from collections.abc import Mapping


class FakeRetries:
    def __init__(self) -> None:
        self.messages: list[Mapping[str, str]] = []
        self.postponed: list[tuple[str, int]] = []

    def add(self, message: Mapping[str, str]) -> None:
        self.messages.append(dict(message))

    def postpone(self, receipt: str, after_s: int) -> None:
        self.postponed.append((receipt, after_s))
