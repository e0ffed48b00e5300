"""Rollouts that never happened: requests of candidate and live, second by second, judged by the gate's own code."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import ceil

from chalicelib.checks.comparison.side_by_side import NEAR, TOLERATED, advance
from chalicelib.domain.evidence.comparison import Sequence as Test
from chalicelib.domain.evidence.comparison import Split
from chalicelib.release.sequential import RULES, step

BOUND = 0.2
Times = list[float]


@dataclass(frozen=True)
class Scenario:
    """slower: factor on the candidate's times; errors, live_errors: failure rates of both sides.

    per_window: requests of either side in a window; windows: at most. is_rough: heavy tails, cold starts and a noisy
    minute that hits both sides. metrics: what is judged.
    """

    name: str
    slower: float = 1.0
    errors: float = 0.001
    live_errors: float = 0.001
    per_window: int = 100
    windows: int = 20
    is_rough: bool = False
    metrics: Sequence[str] = ("errors", "total_p50", "total_p99", "overhead_p50", "overhead_p99")

    @property
    def noisy(self) -> range:
        """The windows of the noisy minute, in the middle."""
        return range(self.windows // 2, self.windows // 2 + 3)


@dataclass
class _Rollout:
    scenario: Scenario
    chance: random.Random
    worse: dict[str, Test] = field(default_factory=dict)
    within: dict[str, Test] = field(default_factory=dict)

    def stopped_after(self) -> int | None:
        """Requests of either side when the gate stops it; None when it never does."""
        for window in range(self.scenario.windows):
            if self._is_stopped(window):
                return (window + 1) * self.scenario.per_window
        return None

    def _is_stopped(self, window: int) -> bool:
        drawn: dict[str, tuple[Times, Times]] = {}
        for metric in self.scenario.metrics:
            before = self.worse.get(metric, Test())
            if metric == "errors":
                self.worse[metric] = step(before, self._failures(window), RULES[metric])
                continue
            series, _, quantile = metric.rpartition("_")
            sides = drawn.setdefault(series, self._times(series, window))
            share = {"p50": 0.5, "p99": 0.99}[quantile]
            splits = [split(*sides, share, slower) for slower in (TOLERATED * BOUND, NEAR * BOUND)]
            within = self.within.get(metric, Test())
            self.worse[metric], self.within[metric] = advance(before, within, splits[0], splits[1], RULES[metric])
        return any(test.decided_after is not None for test in self.worse.values())

    def _failures(self, window: int) -> Split:
        scenario, count = self.scenario, self.scenario.per_window
        noise = 0.05 if scenario.is_rough and window in scenario.noisy else 0.0
        hits = [
            sum(self.chance.random() < min(1.0, rate + noise) for _ in range(count))
            for rate in (scenario.errors, scenario.live_errors)
        ]
        return Split(count, hits[0], count, hits[1])

    def _times(self, series: str, window: int) -> tuple[Times, Times]:
        """Milliseconds of both sides. The overhead is a fifth of the total, with times of its own."""
        draw = self._rough if self.scenario.is_rough else self._plain
        scale = 40.0 if series == "total" else 8.0
        noise = 3.0 if self.scenario.is_rough and window in self.scenario.noisy else 1.0
        candidate = [scale * noise * self.scenario.slower * draw() for _ in range(self.scenario.per_window)]
        return candidate, [scale * noise * draw() for _ in range(self.scenario.per_window)]

    def _plain(self) -> float:
        return self.chance.lognormvariate(0.0, 0.35)

    def _rough(self) -> float:
        """Log-normal, a twentieth with a Pareto tail, and a cold start of 20 times the median in a hundred."""
        time = self.chance.lognormvariate(0.0, 0.5)
        if self.chance.random() < 0.05:
            time *= self.chance.paretovariate(1.5)
        return time + (20.0 if self.chance.random() < 0.01 else 0.0)


def split(candidate: Times, live: Times, share: float, slower: float) -> Split:
    """As `load.windows.slow`, from single times: a hundred times faster here (tests/unit/bench compares them)."""
    stretched = [each * (1 + slower) for each in live]
    both = sorted(candidate + stretched)
    limit = both[ceil(share * len(both)) - 1]
    ours, theirs = sum(each > limit for each in candidate), sum(each > limit for each in stretched)
    return Split(len(candidate), ours, len(live), theirs)


def stopped_after(scenario: Scenario, number: int) -> int | None:
    """One rollout; the same number gives the same rollout."""
    return _Rollout(scenario, random.Random(f"{scenario.name}:{number}")).stopped_after()
