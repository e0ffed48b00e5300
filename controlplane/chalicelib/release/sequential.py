"""Is the candidate worse than the live version? A test that may be looked at after every window of time. Pure.

Each window is a 2 x 2 table: requests of both versions, and the hits among them (failures, or answers slower than a
quantile of both sides together). Given its margins, an equal candidate's hits are hypergeometric, whatever the hour
does to both sides. A candidate whose odds of a hit are `odds` times live's has Fisher's noncentral hypergeometric
distribution instead. Windows multiply, and a weighted mean over several odds gives an e-value: a nonnegative martingale
with mean 1 for an equal candidate. By Ville's inequality it ever reaches 1 / alpha with a probability of at most alpha,
so that looking often costs nothing (Robbins 1970; Howard, Ramdas et al. 2021, "Time-uniform confidence sequences").

Own code instead of `ville` or `confseq`: both need numpy and scipy, see docs/decisions/014-own-sequential-test.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence as Several
from dataclasses import dataclass, replace
from functools import lru_cache
from math import exp, inf, lgamma, log
from types import MappingProxyType

from chalicelib.domain.evidence.comparison import Point, Sequence, Split

ALPHA = 0.01  # probability that an equal release is stopped, over a whole rollout and all metrics; the bake has a fifth
BAND = 0.05  # 1 minus the confidence of the band that people see
_HALF_OCTAVES = 14
LOG_ODDS = tuple(step * log(2) / 2 for step in range(-_HALF_OCTAVES, _HALF_OCTAVES + 1))
EQUAL = _HALF_OCTAVES  # index of the odds ratio 1
MOST_POINTS = 24
_MOST_LOG = 100.0  # of an e-value that is shown
_MOST_HITS = 1_000  # looked for by `margin`


@dataclass(frozen=True, slots=True)
class Rule:
    """alpha: this test's share of ALPHA. weights: of the alternatives, by index of LOG_ODDS; they sum to 1.

    null: index of the highest odds that do not count as worse.
    """

    alpha: float
    weights: Mapping[int, float]
    null: int = EQUAL

    @property
    def needed(self) -> float:
        """The e-value that decides."""
        return 1 / self.alpha


# Failures are rare, so a bad release shows as odds of 16 and more. A median that is 20 % slower has odds of 1.5 to 6.
_FAILURES = {EQUAL + 4: 0.1, EQUAL + 8: 0.7, EQUAL + 14: 0.2}
_MEDIAN = {EQUAL + 1: 0.3, EQUAL + 2: 0.3, EQUAL + 3: 0.2, EQUAL + 4: 0.2}
_TAIL = {EQUAL + 2: 0.3, EQUAL + 4: 0.4, EQUAL + 8: 0.3}
RULES: Mapping[str, Rule] = MappingProxyType(
    {
        "errors": Rule(0.005, _FAILURES),
        "total_p50": Rule(0.001, _MEDIAN),
        "total_p99": Rule(0.0004, _TAIL),
        "overhead_p50": Rule(0.0006, _MEDIAN),
        "overhead_p99": Rule(0.0002, _TAIL),
        "first_byte_p50": Rule(0.0006, _MEDIAN),
        "first_byte_p99": Rule(0.0002, _TAIL),
    }
)
# "Not as slow as the bound": a wrong answer lets a slow release go on, which the bake and the alarms still watch.
WITHIN = Rule(0.05, _MEDIAN)


def tolerating(rule: Rule, odds: float) -> Rule:
    """The rule for "worse than `odds` times live's odds", rounded up to the next of LOG_ODDS. odds: at least 1.

    Odds beyond the largest alternative leave that alternative alone in force: nothing is then worse.
    """
    null = next((index for index in range(EQUAL, len(LOG_ODDS)) if 2 ** ((index - EQUAL) / 2) >= odds), None)
    beyond = {index: weight for index, weight in rule.weights.items() if null is not None and index > null}
    if null is None or not beyond:
        return Rule(rule.alpha, {len(LOG_ODDS) - 1: 1.0}, len(LOG_ODDS) - 1)
    whole = sum(beyond.values())
    return Rule(rule.alpha, {index: weight / whole for index, weight in beyond.items()}, null)


def holds(sequence: Sequence, rule: Rule) -> bool:
    """Whether the evidence so far suffices now. `decided_after` says whether it ever did."""
    return bool(sequence.log_likelihood) and log_evidence(sequence.log_likelihood, rule) >= log(rule.needed)


def step(sequence: Sequence, split: Split, rule: Rule) -> Sequence:
    """The test after one more window. A window without hits, or of one side only, changes only the totals."""
    before = sequence.log_likelihood or (0.0,) * len(LOG_ODDS)
    likelihood = tuple(round(old + new, 6) for old, new in zip(before, log_likelihoods(split), strict=True))
    total = added(sequence.total, split)
    value = log_evidence(likelihood, rule)
    samples = total.candidate + total.live
    decided = sequence.decided_after
    if decided is None and value >= log(rule.needed):
        decided = samples
    point = Point(samples, *_band(likelihood), float(f"{exp(min(value, _MOST_LOG)):.4g}"))
    points = _thinned((*sequence.points, point))
    return replace(
        sequence,
        log_likelihood=likelihood,
        total=total,
        peak=max(sequence.peak, value),
        decided_after=decided,
        points=points,
    )


def log_likelihoods(split: Split) -> tuple[float, ...]:
    """Logarithm of the likelihood of this window at each of LOG_ODDS, relative to odds of 1."""
    hits = split.candidate_hits + split.live_hits
    norms = _log_norms(split.candidate, split.live, hits)
    return tuple(split.candidate_hits * odds - norm for odds, norm in zip(LOG_ODDS, norms, strict=True))


@lru_cache(maxsize=4_096)
def _log_norms(candidate: int, live: int, hits: int) -> tuple[float, ...]:
    """log E[odds ** X] at each of LOG_ODDS, where X is hypergeometric: the candidate's hits if both are equal."""
    first, last = max(0, hits - live), min(candidate, hits)
    whole = log_choose(candidate + live, hits)
    terms = [
        (count, log_choose(candidate, count) + log_choose(live, hits - count) - whole)
        for count in range(first, last + 1)
    ]
    return tuple(log_sum([base + count * odds for count, base in terms]) for odds in LOG_ODDS)


def log_evidence(likelihood: Several[float], rule: Rule) -> float:
    """Logarithm of the e-value: the weighted mean of the likelihoods of the alternatives, relative to the null's."""
    mean = log_sum([log(weight) + likelihood[index] for index, weight in rule.weights.items()])
    return mean - likelihood[rule.null]


def _band(likelihood: Several[float]) -> tuple[float, float | None, float | None]:
    """(odds, low, high): the most likely ratio, and the confidence sequence around it.

    A ratio is outside when the mean over all ratios is 1 / BAND times as likely. The ends are the nearest ratios
    outside, which is conservative; None where the grid's end is inside.
    """
    mean = log_sum(likelihood) - log(len(likelihood))
    inside = [index for index, value in enumerate(likelihood) if mean - value < log(1 / BAND)]
    best = max(range(len(likelihood)), key=lambda index: (likelihood[index], -abs(index - EQUAL)))
    first, last = inside[0], inside[-1]
    low = round(exp(LOG_ODDS[first - 1]), 4) if first > 0 else None
    high = round(exp(LOG_ODDS[last + 1]), 4) if last + 1 < len(LOG_ODDS) else None
    return round(exp(LOG_ODDS[best]), 4), low, high


def margin(sequence: Sequence, rule: Rule) -> int:
    """How many more hits of the candidate would have decided the test; of a decided one, how many fewer would not.

    0 before the first window with requests of both sides.
    """
    total = sequence.total
    if not sequence.log_likelihood or not total.candidate or not total.live:
        return 0
    share = total.candidate / (total.candidate + total.live)
    sign = -1 if sequence.decided_after is not None else 1
    # What one hit of the candidate adds at each ratio, were it alone in its window.
    gains = [odds - log(share * exp(odds) + 1 - share) for odds in LOG_ODDS]
    for hits in range(1, _MOST_HITS):
        moved = [value + sign * hits * gain for value, gain in zip(sequence.log_likelihood, gains, strict=True)]
        if (log_evidence(moved, rule) >= log(rule.needed)) == (sign > 0):
            return hits
    return _MOST_HITS


def added(left: Split, right: Split) -> Split:
    """Both windows together."""
    return Split(
        left.candidate + right.candidate,
        left.candidate_hits + right.candidate_hits,
        left.live + right.live,
        left.live_hits + right.live_hits,
    )


def _thinned(points: tuple[Point, ...]) -> tuple[Point, ...]:
    """At most MOST_POINTS: every second one goes, but neither the first nor the last."""
    return points if len(points) <= MOST_POINTS else (*points[:-1:2], points[-1])


def log_sum(values: Several[float]) -> float:
    """log of the sum of exp(value), without overflow."""
    most = max(values)
    return most + log(sum(exp(value - most) for value in values)) if most > -inf else most


def log_choose(n: int, k: int) -> float:
    """log of the number of ways to choose k of n."""
    return lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1)
