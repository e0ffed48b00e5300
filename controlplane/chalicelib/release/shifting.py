"""How traffic moves from one version to another, and which alarms fire."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from chalicelib.domain.options import BAKE_STEP_S, BAKE_WATCH_S, Bake

_STEP_S = {True: 1, False: BAKE_STEP_S}  # by whether the cloud is embedded
_WATCH_S = {True: 2, False: BAKE_WATCH_S}


@dataclass(frozen=True, slots=True)
class Weights:
    """The versions that an alias splits traffic between. share: of `other`, in [0, 1]; `main` gets the rest."""

    main: str
    other: str | None = None
    share: float = 0.0

    @property
    def additional(self) -> dict[str, float]:
        """Shares by version beside the main one, as Lambda's AdditionalVersionWeights."""
        return {self.other: self.share} if self.other else {}


def weights_at(live: str, candidate: str, percent: int) -> Weights:
    """The alias's weights while `percent` of the traffic goes to the candidate.

    At 100 the candidate is the main version: Lambda accepts no weight of 1.
    """
    return Weights(candidate) if percent >= 100 else Weights(live, candidate, percent / 100)


def steps_of(bake: Bake) -> list[int]:
    """Percent of the traffic at each step; the last is 100."""
    if bake.strategy == "all_at_once":
        return [100]
    if bake.strategy == "canary":
        return [bake.percent, 100]
    if bake.strategy == "linear":
        return [*range(bake.percent, 100, bake.percent), 100]
    return list(bake.steps)


def step_s(bake: Bake, *, embedded: bool) -> int:
    """Seconds between two steps."""
    return _STEP_S[embedded] if bake.step_s is None else bake.step_s


def watch_s(bake: Bake, *, embedded: bool) -> int:
    """Seconds of the bake after the last step."""
    return _WATCH_S[embedded] if bake.watch_s is None else bake.watch_s


def firing(states: Mapping[str, str]) -> Sequence[str]:
    """The names of the alarms that are in ALARM."""
    return sorted(name for name, state in states.items() if state == "ALARM")
