"""The table as migrations see it: items and writes in DynamoDB's own JSON, and how far a migration is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

Item = Mapping[str, Mapping[str, object]]
Write = Mapping[str, Mapping[str, object]]  # {"Put" | "Update" | "Delete": arguments without TableName}


@dataclass(frozen=True, slots=True)
class FormatState:
    """format: what every item has, at least. moving_to: the format that a migration is giving them, 0 without one;
    after: the key of the last item that it has seen, as JSON, "" at its beginning."""

    format: int = 1
    moving_to: int = 0
    after: str = ""
