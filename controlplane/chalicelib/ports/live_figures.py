"""The progress of a running load test: one record a worker, replaced every second."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol


class LiveFigures(Protocol):
    def put(self, deployment_id: str, worker: int, figures: Mapping[str, Any]) -> None:
        """`figures`: numbers and short texts; `worker` is added."""
        ...

    def of(self, deployment_id: str) -> Sequence[Mapping[str, Any]]:
        """Every worker's latest, by number."""
        ...
