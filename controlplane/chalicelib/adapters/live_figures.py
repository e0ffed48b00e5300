"""DynamoDB behind `ports.live_figures`: items `DEPLOYMENT#<id>` / `LOAD#<worker>` of the control plane's table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from . import items
from .table import Table


class DynamoLiveFigures:
    """See the Protocol."""

    def __init__(self, table: str) -> None:
        self._rows = Table(table)

    def put(self, deployment_id: str, worker: int, figures: Mapping[str, Any]) -> None:
        self._rows.add(f"DEPLOYMENT#{deployment_id}", f"LOAD#{worker:04}", {**figures, "worker": worker})

    def of(self, deployment_id: str) -> Sequence[Mapping[str, Any]]:
        return [items.visible(item) for item in self._rows.under(f"DEPLOYMENT#{deployment_id}", "LOAD#")]
