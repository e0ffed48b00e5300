"""Reads what a step did to users: the environment's alarms, and both versions' failures. A bad step raises."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime, timedelta

from chalicelib.domain.aws.alarms import Metric
from chalicelib.domain.errors import PhaseFailed
from chalicelib.domain.evidence.release import Judgement
from chalicelib.domain.names import Names
from chalicelib.engine.phase import Request
from chalicelib.ports import Aws
from chalicelib.release.shifting import CanaryVerdict, Tally, compare, firing

NOT_RUN = "NOT RUN: the embedded cloud stores weights, but sends all traffic to the alias's main version"


def observe(percent: int, live: str, candidate: str, since: str, request: Request, aws: Aws) -> Judgement:
    """Judge the step that gave the candidate `percent` of the traffic. live, candidate: version numbers; since: when
    the shift began, ISO 8601.

    Raises PhaseFailed: AlarmFired when an alarm of the environment fires, CanaryWorse when the candidate fails more
    often than the live version.
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
        return Judgement(percent, "quiet", NOT_RUN)
    counts = _counts(request.names, live, candidate, datetime.fromisoformat(since), request.now, aws)
    return _judge(percent, live, candidate, counts)


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


def _judge(percent: int, live: str, candidate: str, counts: Mapping[str, int]) -> Judgement:
    candidate_tally = Tally(counts["candidateinvocations"], counts["candidateerrors"])
    live_tally = Tally(counts["liveinvocations"], counts["liveerrors"])
    comparison = compare(candidate_tally, live_tally)
    judgement = Judgement(percent, "quiet", comparison.verdict.value, round(comparison.p_value, 5), counts)
    if comparison.verdict is CanaryVerdict.WORSE:
        raise PhaseFailed(
            f"version {candidate} failed {candidate_tally.errors} of {candidate_tally.invocations} calls, version "
            f"{live} {live_tally.errors} of {live_tally.invocations} (p = {comparison.p_value:.4f})",
            code="CanaryWorse",
            remedy="Look at the function's log. The rollback restores the traffic.",
            evidence={name: value for name, value in asdict(judgement).items() if name != "alarms"},
        )
    return judgement
