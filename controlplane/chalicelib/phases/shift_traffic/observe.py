"""Reads what a step did to users: the environment's alarms, and both versions side by side. A bad step raises."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from math import exp

from chalicelib.checks.comparison.comparison_words import phrase
from chalicelib.checks.comparison.drive_split import drive_split
from chalicelib.checks.comparison.log_lines import failures_of
from chalicelib.checks.comparison.read_times import Reading, read_times
from chalicelib.checks.comparison.record_times import extended
from chalicelib.checks.comparison.side_by_side import after_windows, compare, compare_times, tables, total_of, worse
from chalicelib.domain.aws.alarms import Metric
from chalicelib.domain.codec import encode
from chalicelib.domain.errors import PhaseFailed
from chalicelib.domain.evidence.comparison import Compared, Split
from chalicelib.domain.evidence.release import Judgement
from chalicelib.domain.names import Names
from chalicelib.domain.times import stamp
from chalicelib.engine.phase import Request
from chalicelib.ports import Aws
from chalicelib.release.shifting import firing, step_s

from .cursor import ShiftCursor

NOT_RUN = "NOT RUN: the embedded cloud stores weights, but sends all traffic to the alias's main version"
ALONE = "NOT RUN: all traffic goes to the candidate"
UNBOUND = "NOT RUN: options.slo.relative.errors is null"
_MS_PER_S = 1_000


def observe(percent: int, live: str, candidate: str, cursor: ShiftCursor, request: Request, aws: Aws) -> ShiftCursor:
    """Judge the step that gave the candidate `percent` of the traffic. live, candidate: version numbers.

    Answers the cursor with one more judgement, and with the comparisons continued. Raises PhaseFailed: AlarmFired when
    an alarm of the environment fires, CanaryWorse when the candidate is worse than the live version with confidence.
    """
    if aws.settings.embedded:
        after = _observe_split(percent, live, candidate, cursor, request, aws)
        _refuse_alarms(percent, candidate, request, aws)
        return after
    _refuse_alarms(percent, candidate, request, aws)
    since = datetime.fromisoformat(cursor.since)
    since_ms = cursor.read_until_ms or int(since.timestamp() * _MS_PER_S)
    reading = read_times(request.names.log_group, since_ms, request.now, aws)
    counts = _counts(request.names, live, candidate, since, request.now, aws)
    comparisons = _compared(reading, live, candidate, new_window(counts, cursor.judgements), cursor, request)
    after = replace(
        cursor,
        comparisons=comparisons,
        read_until_ms=reading.until_ms,
        live_times=extended(cursor.live_times, reading.of(live).series),
    )
    return _judged(_judgement(percent, request, counts), after, candidate)


def drives(percent: int, cursor: ShiftCursor, aws: Aws) -> bool:
    """Whether the judgement of this step sends a load of its own for the step's seconds: in the embedded cloud, where
    weights do not act, and only where the load test drove live, too."""
    return aws.settings.embedded and percent < 100 and bool(cursor.comparisons)


def _refuse_alarms(percent: int, candidate: str, request: Request, aws: Aws) -> None:
    fired = firing({alarm.name: alarm.state for alarm in aws.alarms.find(request.names.alarm(""))})
    if fired:
        raise PhaseFailed(
            f"{', '.join(fired)} fired while {percent} % of the traffic went to version {candidate}",
            code="AlarmFired",
            remedy="Look at the alarm's metric and the function's log. The rollback restores the traffic.",
            evidence={"alarms": list(fired), "percent": percent},
        )


def _compared(
    reading: Reading, live: str, candidate: str, counted: Split, cursor: ShiftCursor, request: Request
) -> tuple[Compared, ...]:
    """Failures and times since the last look, added to the cursor's comparisons. counted: by Lambda's metrics."""
    ours, theirs = reading.of(candidate), reading.of(live)
    slo, before = request.options.slo, {each.metric: each for each in cursor.comparisons}
    if slo.relative.errors is not None:
        # Of Lambda's own counts a crash or time-out alone has no line in the log.
        crashes = Split(counted.candidate_hits, counted.candidate_hits, counted.live_hits, counted.live_hits)
        windows = [*failures_of(ours, theirs), crashes] if reading.versions else [counted]
        before["errors"] = after_windows(before.get("errors", Compared()), windows, slo.relative.errors)
    return compare_times(ours.series, theirs.series, slo, before.values())


def _observe_split(
    percent: int, live: str, candidate: str, cursor: ShiftCursor, request: Request, aws: Aws
) -> ShiftCursor:
    """In the embedded cloud, from the load engine's own split."""
    if not drives(percent, cursor, aws):
        judgement = _judgement(percent, request)
        return _noted(cursor, replace(judgement, against_live=ALONE if percent >= 100 else NOT_RUN))
    sides = drive_split(request, live, percent, step_s(request.options.bake, embedded=True), aws)
    comparisons = compare(sides, request.options.slo, cursor.comparisons)
    total = total_of(tables(sides))
    counts = {
        "candidateinvocations": total.candidate,
        "candidateerrors": total.candidate_hits,
        "liveinvocations": total.live,
        "liveerrors": total.live_hits,
    }
    return _judged(_judgement(percent, request, counts), replace(cursor, comparisons=comparisons), candidate)


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


def _judgement(percent: int, request: Request, counts: Mapping[str, int] | None = None) -> Judgement:
    return Judgement(percent, "quiet", counts=counts, at=stamp(request.now))


def _noted(cursor: ShiftCursor, judgement: Judgement) -> ShiftCursor:
    return replace(cursor, judgements=(*cursor.judgements, judgement))


def _judged(judgement: Judgement, cursor: ShiftCursor, candidate: str) -> ShiftCursor:
    """The cursor with the judgement of its comparisons. Raises PhaseFailed (CanaryWorse)."""
    errors = next((each for each in cursor.comparisons if each.metric == "errors"), None)
    losers = worse(cursor.comparisons)
    verdict = "WORSE" if losers else UNBOUND if errors is None else errors.verdict
    p_value = None if errors is None else round(min(1.0, exp(-errors.worse.peak)), 5)
    judgement = replace(judgement, against_live=verdict, p_value=p_value)
    if losers:
        raise PhaseFailed(
            f"version {candidate} is worse than live: {'; '.join(map(phrase, losers))}",
            code="CanaryWorse",
            remedy="Look at the function's log. The rollback restores the traffic.",
            evidence={**encode(judgement), "comparisons": [encode(each) for each in losers]},
        )
    return _noted(cursor, judgement)
