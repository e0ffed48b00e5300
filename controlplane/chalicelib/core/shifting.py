"""How traffic moves from one version to another, and what alarms say of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Weights:
    """`main` gets what `other` does not; share in [0, 1]."""

    main: str
    other: str | None = None
    share: float = 0.0

    @property
    def additional(self) -> dict[str, float]:
        return {self.other: self.share} if self.other else {}


def weights_at(live: str, candidate: str, percent: int) -> Weights:
    """The alias while `percent` of the traffic is to reach the candidate. At 100 the candidate is the version itself:
    an alias cannot give its whole traffic away as weight.
    """
    return Weights(candidate) if percent >= 100 else Weights(live, candidate, percent / 100)


def firing(states: Mapping[str, str]) -> Sequence[str]:
    """The names of the alarms that are in ALARM."""
    return sorted(name for name, state in states.items() if state == "ALARM")
