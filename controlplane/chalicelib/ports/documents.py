"""Report and handoff of a deployment, for the step that ends it: their drawing belongs to write_handoff's room."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from chalicelib.domain.model import FinishedRun


class Documents(Protocol):
    def write(self, run: FinishedRun) -> Mapping[str, str]:
        """Write both documents; answers their keys in the bucket by name, `report.html` and `handoff.md`. Raises a
        RolloutError when the bucket does not take them."""
        ...
