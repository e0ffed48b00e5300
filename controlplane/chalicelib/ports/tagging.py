"""Resource Groups Tagging: whatever carries our tags."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol


class Tagging(Protocol):
    def find(self, tags: Mapping[str, str]) -> Mapping[str, Mapping[str, str]]:
        """All tags by ARN, of the resources of this region that carry all of these."""
        ...
