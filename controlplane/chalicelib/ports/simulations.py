"""What IAM's simulator said of the control plane's roles, remembered for a while."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from chalicelib.domain.aws.identity import Simulation


class Simulations(Protocol):
    def remembered(self) -> Mapping[str, Simulation]:
        """By role name, those whose end has passed included."""
        ...

    def remember(self, simulations: Mapping[str, Simulation]) -> None:
        """Replaces those of the same roles; others stay."""
        ...
