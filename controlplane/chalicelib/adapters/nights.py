"""DynamoDB behind `ports.nights`: `NIGHT#<date>` / `ENVIRONMENT#<name>`; `NIGHTS` / `SUMMARY#<date>`."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from chalicelib.domain.codec import decode_lenient
from chalicelib.domain.nights import Checked

from . import expiry, items
from .table import Table

_DAYS = 90


class DynamoNights:
    """See the Protocol."""

    def __init__(self, table: str) -> None:
        self._rows = Table(table)

    def put(self, night: str, checked: Checked) -> None:
        record = dataclasses.asdict(checked) | _expiry(night)
        self._rows.add(f"NIGHT#{night}", f"ENVIRONMENT#{checked.environment}", record)

    def of(self, night: str) -> Sequence[Checked]:
        entries = self._rows.under(f"NIGHT#{night}", "ENVIRONMENT#")
        return [decode_lenient(Checked, items.visible(item)) for item in entries]

    def conclude(self, night: str, summary: Mapping[str, Any]) -> None:
        self._rows.add("NIGHTS", f"SUMMARY#{night}", {**summary, "night": night, **_expiry(night)})

    def concluded(self, limit: int, cursor: str | None) -> tuple[Sequence[Mapping[str, Any]], str | None]:
        entries, following = self._rows.page("NIGHTS", "SUMMARY#", limit, cursor)
        return [items.visible(item) for item in entries], following


def _expiry(night: str) -> dict[str, int]:
    return expiry.after(f"{night}T00:00:00+00:00", _DAYS)
