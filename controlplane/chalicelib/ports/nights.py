"""What came of each night's revalidations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from chalicelib.domain.nights import Checked


class Nights(Protocol):
    """A night goes by the date (ISO 8601) on which it was due. Both are kept for 90 days."""

    def put(self, night: str, checked: Checked) -> None:
        """What came of one environment; a later answer for the same one takes the place of an earlier one."""
        ...

    def of(self, night: str) -> Sequence[Checked]:
        """By name."""
        ...

    def conclude(self, night: str, summary: Mapping[str, Any]) -> None:
        """The sum of it."""
        ...

    def concluded(self, limit: int) -> Sequence[Mapping[str, Any]]:
        """Summaries, newest first, with their `night`."""
        ...
