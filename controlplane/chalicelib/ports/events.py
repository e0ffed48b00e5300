"""The account's event bus (EventBridge)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol


class Events(Protocol):
    def put(self, source: str, detail_type: str, detail: Mapping[str, Any]) -> None:
        """Raises AwsCallFailed when the bus did not take it."""
        ...
