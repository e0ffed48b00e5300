"""Evidence of a comparison of candidate and live: what was counted, how strong the evidence is, and the decision."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Split:
    """Both sides of one window of time. candidate, live: numbers of requests; hits: those that failed or were slow."""

    candidate: int = 0
    candidate_hits: int = 0
    live: int = 0
    live_hits: int = 0


@dataclass(frozen=True, slots=True)
class Point:
    """The comparison after so many samples of both sides.

    odds: the candidate's odds of a hit as a multiple of live's; low, high: their 95 % confidence sequence, which holds
    at all points together; None where it is open. evidence: e-value against "not worse"; it decides at `needed`.
    """

    samples: int = 0
    odds: float = 1.0
    low: float | None = None
    high: float | None = None
    evidence: float = 1.0


@dataclass(frozen=True, slots=True)
class Sequence:
    """A sequential test after all windows so far: everything that the next window needs.

    log_likelihood: at each odds ratio of `release.sequential.LOG_ODDS`, relative to a ratio of 1; () before the first
    window. total: all windows. peak: greatest logarithm of the e-value; decided_after: samples until it decided.
    """

    log_likelihood: tuple[float, ...] = ()
    total: Split = Split()
    peak: float = 0.0
    decided_after: int | None = None
    points: tuple[Point, ...] = ()


@dataclass(frozen=True, slots=True)
class AgainstRecord:
    """A version that serves all users against what was counted of the one before, explained. verdict: as in Compared.

    hits: failures, or answers longer than threshold_ms, among `count` requests; record_*: the same of the version
    before. limit: share of hits that the version before does not exceed with confidence. e_value: decides at `needed`.
    bound: share by which the new version may be slower: threshold_ms is the record's quantile and so much more; None
    for errors. more: what would have changed the verdict.
    """

    metric: str = ""
    verdict: str = ""
    hits: int = 0
    count: int = 0
    record_hits: int = 0
    record_count: int = 0
    limit: float = 1.0
    e_value: float = 1.0
    needed: float = 0.0
    bound: float | None = None
    threshold_ms: float | None = None
    more: str = ""


@dataclass(frozen=True, slots=True)
class Compared:
    """One comparison, explained. verdict: `WORSE`, `NOT_WORSE` or `UNDECIDED`.

    rule: what was asked, in words. candidate, live: the figure of either side, in `unit` (`share` or `ms`), None
    without samples. needed: e-value that decides. more: what would have changed the verdict. tolerance: share by which
    the candidate may be slower without counting as slower; least_ms: smaller differences are within the bound.

    worse: the test for "slower than the tolerance" (or "fails more often"); within: the test for "not as slow as the
    bound", unused for errors.
    """

    metric: str = ""
    verdict: str = ""
    rule: str = ""
    unit: str = ""
    candidate: float | None = None
    live: float | None = None
    tolerance: float = 0.0
    bound: float = 0.0
    least_ms: float = 0.0
    needed: float = 0.0
    more: str = ""
    worse: Sequence = Sequence()
    within: Sequence = Sequence()
