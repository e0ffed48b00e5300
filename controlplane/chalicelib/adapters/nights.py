"""DynamoDB behind `ports.nights`: `NIGHT#<date>` / `ENVIRONMENT#<name>`; `NIGHTS` / `SUMMARY#<date>`."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from chalicelib.domain.codec import decode_lenient
from chalicelib.domain.nights import Checked

from . import items
from .table import Table

_DAYS = 90  # then DynamoDB's TTL removes them


class DynamoNights:
    """See the Protocol."""

    def __init__(self, table: str) -> None:
        self._rows = Table(table)

    def put(self, night: str, checked: Checked) -> None:
        record = dataclasses.asdict(checked) | {"expires": _expiry(night)}
        self._rows.add(f"NIGHT#{night}", f"ENVIRONMENT#{checked.environment}", record)

    def of(self, night: str) -> Sequence[Checked]:
        entries = self._rows.under(f"NIGHT#{night}", "ENVIRONMENT#")
        return [decode_lenient(Checked, items.visible(item)) for item in entries]

    def conclude(self, night: str, summary: Mapping[str, Any]) -> None:
        self._rows.add("NIGHTS", f"SUMMARY#{night}", {**summary, "night": night, "expires": _expiry(night)})

    def concluded(self, limit: int) -> Sequence[Mapping[str, Any]]:
        entries = self._rows.under("NIGHTS", "SUMMARY#", newest_first=True, limit=limit)
        return [{key: value for key, value in items.visible(item).items() if key != "expires"} for item in entries]


def _expiry(night: str) -> int:
    return items.epoch(f"{night}T00:00:00+00:00") + _DAYS * 86_400
