"""Reads what a step did to users: the environment's alarms, and both versions side by side. A bad step raises."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from math import exp

from chalicelib.checks.comparison.comparison_words import phrase
from chalicelib.checks.comparison.drive_split import drive_split
from chalicelib.checks.comparison.side_by_side import after_windows, compare, tables, total_of, worse
from chalicelib.domain.aws.alarms import Metric
from chalicelib.domain.codec import encode
from chalicelib.domain.errors import PhaseFailed
from chalicelib.domain.evidence.comparison import Compared, Split
from chalicelib.domain.evidence.release import Judgement
from chalicelib.domain.names import Names
from chalicelib.engine.phase import Request
from chalicelib.ports import Aws
from chalicelib.release.shifting import firing, step_s

from .cursor import ShiftCursor

NOT_RUN = "NOT RUN: the embedded cloud stores weights, but sends all traffic to the alias's main version"
ALONE = "NOT RUN: all traffic goes to the candidate"
UNBOUND = "NOT RUN: options.slo.relative.errors is null"
Observed = tuple[Judgement, tuple[Compared, ...]]


def observe(percent: int, live: str, candidate: str, cursor: ShiftCursor, request: Request, aws: Aws) -> Observed:
    """Judge the step that gave the candidate `percent` of the traffic. live, candidate: version numbers.

    Answers the judgement and the comparisons, continued from the cursor's. Raises PhaseFailed: AlarmFired when an alarm
    of the environment fires, CanaryWorse when the candidate is worse than the live version with confidence.
    """
    fired = firing({alarm.name: alarm.state for alarm in aws.alarms.find(request.names.alarm(""))})
    if fired:
        raise PhaseFailed(
            f"{', '.join(fired)} fired while {percent} % of the traffic went to version {candidate}",
            code="AlarmFired",
            remedy="Look at the alarm's metric and the function's log. The rollback restores the traffic.",
            evidence={"alarms": list(fired), "percent": percent},
        )
    if aws.settings.embedded:
        return _observe_split(percent, live, candidate, cursor, request, aws)
    counts = _counts(request.names, live, candidate, datetime.fromisoformat(cursor.since), request.now, aws)
    more_often = request.options.slo.relative.errors
    if more_often is None:
        return Judgement(percent, "quiet", UNBOUND, counts=counts), cursor.comparisons
    before = {each.metric: each for each in cursor.comparisons}
    window = new_window(counts, cursor.judgements)
    errors = after_windows(before.get("errors", Compared()), [window], more_often)
    comparisons = tuple({**before, "errors": errors}.values())
    return _judged(Judgement(percent, "quiet", counts=counts), comparisons, candidate)


def _observe_split(
    percent: int, live: str, candidate: str, cursor: ShiftCursor, request: Request, aws: Aws
) -> Observed:
    """In the embedded cloud, from the load engine's own split; only where the load test drove live, too."""
    if percent >= 100 or not cursor.comparisons:
        return Judgement(percent, "quiet", ALONE if percent >= 100 else NOT_RUN), cursor.comparisons
    sides = drive_split(request, live, percent, step_s(request.options.bake, embedded=True), aws)
    comparisons = compare(sides, request.options.slo, cursor.comparisons)
    total = total_of(tables(sides))
    counts = {
        "candidateinvocations": total.candidate,
        "candidateerrors": total.candidate_hits,
        "liveinvocations": total.live,
        "liveerrors": total.live_hits,
    }
    return _judged(Judgement(percent, "quiet", counts=counts), comparisons, candidate)


def _counts(names: Names, live: str, candidate: str, since: datetime, until: datetime, aws: Aws) -> Mapping[str, int]:
    """Invocations and errors of both versions since the shift began, by `candidateinvocations`, `liveerrors`, …"""
    metrics = {
        f"{role}{what}": _metric(names, version, what.capitalize())
        for role, version in (("candidate", candidate), ("live", live))
        for what in ("invocations", "errors")
    }
    # CloudWatch stamps a minute's sum with the minute's beginning.
    sums = aws.metrics.sums(metrics, since - timedelta(minutes=1), until)
    return {name: int(value) for name, value in sums.items()}


def _metric(names: Names, version: str, metric: str) -> Metric:
    dimensions = {
        "FunctionName": names.function,
        "Resource": f"{names.function}:live",
        "ExecutedVersion": version,
    }
    return Metric("AWS/Lambda", metric, dimensions, "Sum")


def new_window(counts: Mapping[str, int], judgements: Sequence[Judgement]) -> Split:
    """What was counted since the last judgement. CloudWatch may still complete a minute, never take from it."""
    before = next((each.counts for each in reversed(judgements) if each.counts is not None), {})
    new = {name: max(0, count - before.get(name, 0)) for name, count in counts.items()}
    return Split(
        new["candidateinvocations"],
        min(new["candidateerrors"], new["candidateinvocations"]),
        new["liveinvocations"],
        min(new["liveerrors"], new["liveinvocations"]),
    )


def _judged(judgement: Judgement, comparisons: tuple[Compared, ...], candidate: str) -> Observed:
    """Raises PhaseFailed (CanaryWorse)."""
    errors = next((each for each in comparisons if each.metric == "errors"), Compared())
    p_value = round(min(1.0, exp(-errors.worse.peak)), 5)
    losers = worse(comparisons)
    verdict = "WORSE" if losers else errors.verdict or "UNDECIDED"
    judgement = replace(judgement, against_live=verdict, p_value=p_value)
    if losers:
        raise PhaseFailed(
            f"version {candidate} is worse than live: {'; '.join(map(phrase, losers))}",
            code="CanaryWorse",
            remedy="Look at the function's log. The rollback restores the traffic.",
            evidence={**encode(judgement), "comparisons": [encode(each) for each in losers]},
        )
    return judgement, comparisons
