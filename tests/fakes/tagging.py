"""`ports.tagging` in memory."""

from __future__ import annotations

from collections.abc import Mapping


class FakeTagging:
    def __init__(self) -> None:
        self.tagged: dict[str, Mapping[str, str]] = {}

    def find(self, tags: Mapping[str, str]) -> Mapping[str, Mapping[str, str]]:
        return {arn: have for arn, have in self.tagged.items() if tags.items() <= have.items()}
