"""Hosted zones of Route 53."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from chalicelib.domain.aws.addresses import Record, Zone


class Zones(Protocol):
    def find(self, zone_id: str) -> Zone | None:
        """None when there is no such zone."""
        ...

    def records(self, zone_id: str, host: str) -> Sequence[Record]:
        """The records of exactly that name, of any type."""
        ...
