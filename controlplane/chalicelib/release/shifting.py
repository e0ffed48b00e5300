"""How traffic moves from one version to another, which alarms fire, and whether the new version fails more often."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import exp, lgamma

from chalicelib.domain.options import BAKE_STEP_S, BAKE_WATCH_S, Bake

# One-sided. A shift compares at every step, so each comparison must be stricter than the usual 5 %.
SIGNIFICANCE = 0.01
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


@dataclass(frozen=True, slots=True)
class Tally:
    """Invocations of one version since the shift began, and how many of them failed."""

    invocations: int
    errors: int


class CanaryVerdict(StrEnum):
    """WORSE: the candidate fails more often than chance explains. UNDECIDED: too few invocations to decide."""

    NOT_WORSE = "NOT_WORSE"
    WORSE = "WORSE"
    UNDECIDED = "UNDECIDED"


@dataclass(frozen=True, slots=True)
class Comparison:
    """p_value: probability of the candidate's failures, or more, if both versions fail equally often."""

    verdict: CanaryVerdict
    p_value: float


def compare(candidate: Tally, live: Tally) -> Comparison:
    """Fisher's exact test, one-sided: exact for a canary's small counts.

    UNDECIDED when even a candidate that failed every time would not be significantly worse.
    """
    p_value = _fisher(candidate, live)
    if p_value <= SIGNIFICANCE:
        return Comparison(CanaryVerdict.WORSE, p_value)
    worst = _fisher(Tally(candidate.invocations, candidate.invocations), live)
    verdict = CanaryVerdict.UNDECIDED if worst > SIGNIFICANCE else CanaryVerdict.NOT_WORSE
    return Comparison(verdict, p_value)


def _fisher(candidate: Tally, live: Tally) -> float:
    """Upper tail of the hypergeometric distribution: at least `candidate.errors` of all errors are the candidate's."""
    drawn, other = candidate.invocations, live.invocations
    errors = candidate.errors + live.errors
    most = min(drawn, errors)
    whole = _log_choose(drawn + other, errors)
    terms = (
        exp(_log_choose(drawn, hits) + _log_choose(other, errors - hits) - whole)
        for hits in range(max(candidate.errors, errors - other), most + 1)
    )
    return min(1.0, sum(terms))


def _log_choose(n: int, k: int) -> float:
    return lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1)
