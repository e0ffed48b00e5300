"""The verdicts and summary of each night's revalidations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from chalicelib.domain.nights import Checked


class Nights(Protocol):
    """A night is named by the date (ISO 8601) on which it was due. Records are kept for 90 days."""

    def put(self, night: str, checked: Checked) -> None:
        """Record the verdict on one environment, in place of an earlier one of the same night."""
        ...

    def of(self, night: str) -> Sequence[Checked]:
        """By name."""
        ...

    def conclude(self, night: str, summary: Mapping[str, Any]) -> None:
        """Record the summary of the night."""
        ...

    def concluded(self, limit: int, cursor: str | None) -> tuple[Sequence[Mapping[str, Any]], str | None]:
        """Summaries, newest first, with their `night`, and the cursor of the next page."""
        ...
