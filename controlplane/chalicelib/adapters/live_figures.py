"""DynamoDB behind `ports.live_figures`: items `DEPLOYMENT#<id>` / `LOAD#<worker>` of the control plane's table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from chalicelib.domain.times import Clock, stamp

from . import expiry, items
from .table import Table

_DAYS = 7  # the evidence of the load test has the figures when it has ended


class DynamoLiveFigures:
    """See the Protocol."""

    def __init__(self, table: str, clock: Clock) -> None:
        self._rows = Table(table)
        self._clock = clock

    def put(self, deployment_id: str, worker: int, figures: Mapping[str, Any]) -> None:
        record = {**figures, "worker": worker, **expiry.after(stamp(self._clock()), _DAYS)}
        self._rows.add(f"DEPLOYMENT#{deployment_id}", f"LOAD#{worker:04}", record)

    def of(self, deployment_id: str) -> Sequence[Mapping[str, Any]]:
        return [items.visible(item) for item in self._rows.under(f"DEPLOYMENT#{deployment_id}", "LOAD#")]
