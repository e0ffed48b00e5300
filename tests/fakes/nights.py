"""`ports.nights` in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from chalicelib.domain.nights import Checked

from .pages import page_of


class FakeNights:
    def __init__(self) -> None:
        self.checked: dict[str, dict[str, Checked]] = {}
        self.summaries: dict[str, dict[str, Any]] = {}

    def put(self, night: str, checked: Checked) -> None:
        self.checked.setdefault(night, {})[checked.environment] = checked

    def of(self, night: str) -> Sequence[Checked]:
        return [item for _, item in sorted(self.checked.get(night, {}).items())]

    def conclude(self, night: str, summary: Mapping[str, Any]) -> None:
        self.summaries[night] = {**summary, "night": night}

    def concluded(self, limit: int, cursor: str | None) -> tuple[Sequence[Mapping[str, Any]], str | None]:
        return page_of([item for _, item in sorted(self.summaries.items(), reverse=True)], limit, cursor)
