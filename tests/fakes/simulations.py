"""`ports.simulations` in memory."""

from __future__ import annotations

from collections.abc import Mapping

from chalicelib.domain.aws.identity import Simulation


class FakeSimulations:
    def __init__(self) -> None:
        self.kept: dict[str, Simulation] = {}

    def remembered(self) -> Mapping[str, Simulation]:
        return dict(self.kept)

    def remember(self, simulations: Mapping[str, Simulation]) -> None:
        self.kept |= simulations
